import { expect, it } from '@jest/globals';
import mongoose, { Schema } from 'mongoose';
import { ModelAlreadyRegisteredError, PolyMongoWrapper, TenantModelWrapError } from '../../../lib/index.js';

const polymongo = new PolyMongoWrapper({ mongoURI: 'mongodb://127.0.0.1', handleSignals: false });
const compile = () => new mongoose.Mongoose().model('Order', new Schema({ n: Number }));

it('a model, its wrapper and the models of databases give one wrapper; another model of the name is refused', () => {
  const model = compile();
  const wrapped = polymongo.wrapModel(model);
  expect(polymongo.wrapModel(model)).toBe(wrapped);
  expect(polymongo.wrapModel(wrapped)).toBe(wrapped);
  expect(polymongo.wrapModel(wrapped.db('acme'))).toBe(wrapped);
  expect(() => polymongo.wrapModel(compile())).toThrow(ModelAlreadyRegisteredError);
});

it("a tenant's model is not wrapped, and the error says why and what to do", () => {
  const ofTenant = polymongo.tenantModel(polymongo.models.blueprint('Order'));
  expect(() => polymongo.wrapModel(ofTenant)).toThrow(TenantModelWrapError);
  expect(() => polymongo.wrapModel(ofTenant)).toThrow(
    /model Order of the current tenant.*@InjectPolyModel\('Order'\)/s,
  );
  expect(() => polymongo.tenantModel(ofTenant)).toThrow(TenantModelWrapError);
});

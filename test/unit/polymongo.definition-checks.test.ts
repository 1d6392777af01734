import { describe, expect, it } from '@jest/globals';
import { Schema } from 'mongoose';
import { PolyMongoModule } from '../../lib/polymongo.module.js';
import { PolyMongoOptionsError } from '../../lib/polymongo.errors.js';

class User {}
const schema = new Schema({});

describe('what forFeature is given', () => {
  it.each<[string, unknown, option: string, message: string]>([
    ['nothing', undefined, 'definitions', 'forFeature() takes an array of { name, schema }, not undefined.'],
    ['one definition', { name: 'User', schema }, 'definitions', 'takes an array of { name, schema }, not an object.'],
    ['a class', [User], 'definitions[0]', '([0]) must be { name, schema }, not the class or function User.'],
    ['null', [null], 'definitions[0]', '([0]) must be { name, schema }, not null.'],
    ['no name', [{ schema }], 'definitions[0].name', "needs the model's name"],
    ['an empty name', [{ name: '', schema }], 'definitions[0].name', 'not an empty string'],
    ['a class for its name', [{ name: User, schema }], 'definitions[0].name', 'not the class or function User'],
    [
      'a class for its schema',
      [
        { name: 'Ok', schema },
        { name: 'User', schema: User },
      ],
      'definitions[1].schema',
      '([1]) of User needs a mongoose Schema, as SchemaFactory.createForClass() or new Schema() makes, not the class',
    ],
    [
      'no name of a collection',
      [{ name: 'User', schema, collection: '' }],
      'definitions[0].collection',
      'empty string',
    ],
    [
      'a discriminator without a schema',
      [{ name: 'User', schema, discriminators: [{ name: 'Admin' }] }],
      'definitions[0].discriminators',
      'of User takes discriminators: [{ name, schema, value? }]',
    ],
    [
      'one discriminator',
      [{ name: 'User', schema, discriminators: {} }],
      'definitions[0].discriminators',
      'each with both',
    ],
    ['no schema', [{ name: 'User' }], 'definitions[0].schema', 'not undefined'],
    ['the fields of a schema', [{ name: 'User', schema: { age: Number } }], 'definitions[0].schema', 'not an object'],
  ])('is refused by name and place: %s', (_, definitions, option, message) => {
    const refusal = refusalOf(() => PolyMongoModule.forFeature(definitions as never));
    expect(refusal).toMatchObject({ option, message: expect.stringContaining(message) });
  });

  it('may be a schema that was made without a definition', () => {
    const kinds = [{ name: 'Admin', schema: new Schema() }];
    expect(() =>
      PolyMongoModule.forFeature([{ name: 'User', schema: new Schema(), discriminators: kinds }]),
    ).not.toThrow();
  });
});

describe('what forFeatureAsync is given', () => {
  it.each<[string, unknown, option: string, message: string]>([
    ['nothing', undefined, 'definitions', 'forFeatureAsync() takes an array of { name, useFactory }, not undefined.'],
    ['a schema', [{ name: 'User', schema }], 'definitions[0].useFactory', 'of User needs useFactory: () => schema'],
  ])('is refused by name and place: %s', (_, definitions, option, message) => {
    const refusal = refusalOf(() => PolyMongoModule.forFeatureAsync(definitions as never));
    expect(refusal).toMatchObject({ option, message: expect.stringContaining(message) });
  });
});

function refusalOf(call: () => unknown): PolyMongoOptionsError {
  try {
    call();
  } catch (error) {
    if (error instanceof PolyMongoOptionsError) return error;
    throw error;
  }
  throw new Error('It was taken.');
}

import mongoose from 'mongoose';

const { BSON } = mongoose.mongo;
const words = 'lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor'.split(' ');
const sentence = (seed, length) => Array.from({ length }, (_, i) => words[(seed * 7 + i * 3) % words.length]).join(' ');

/** Document number `i`: about 1 KB of BSON with ObjectId, Date, Decimal128, Long and nesting. */
export function sample(i) {
  return {
    _id: new BSON.ObjectId(),
    createdAt: new Date(1_600_000_000_000 + i * 1000),
    updatedAt: new Date(1_700_000_000_000 + i),
    customer: { name: `Customer ${i}`, email: `customer${i}@example.org`, tags: ['new', 'vip', `t${i % 9}`] },
    total: BSON.Decimal128.fromString(`${i}.${10 + (i % 90)}`),
    rate: i / 7,
    score: new BSON.Double(i % 100),
    visits: BSON.Long.fromNumber(i * 1_000_003),
    isActive: i % 2 === 0,
    note: sentence(i, 30),
    address: {
      street: sentence(i + 1, 4),
      city: 'Zürich',
      zip: 8000 + (i % 99),
      at: { lat: 47.37 + i / 1e6, lon: 8.54 },
    },
    items: Array.from({ length: 5 }, (_, k) => ({
      sku: `SKU-${i}-${k}`,
      price: BSON.Decimal128.fromString(`${k + 1}.99`),
      quantity: k + 1,
      productId: new BSON.ObjectId(),
    })),
    parent: null,
  };
}

import type { Shop } from './shop.schema.js';

/** The shops of the demo. */
export const SHOPS: Shop[] = [
  {
    id: 'bakery',
    name: 'Corner Bakery',
    offers: [
      { item: 'rye bread', price: 4.5 },
      { item: 'croissant', price: 1.8 },
    ],
  },
  {
    id: 'bikes',
    name: 'Two Wheels',
    offers: [
      { item: 'inner tube', price: 6 },
      { item: 'bell', price: 12.5 },
    ],
  },
  {
    id: 'books',
    name: 'Old Pages',
    offers: [
      { item: 'atlas', price: 32 },
      { item: 'novel', price: 11 },
    ],
  },
];

import mongoose from 'mongoose';

/** A schema as applications have them, anew: each connection compiles its own. */
export const userSchema = () =>
  new mongoose.Schema({
    name: { type: String, index: true },
    age: Number,
    tags: [String],
    address: { street: String },
  });

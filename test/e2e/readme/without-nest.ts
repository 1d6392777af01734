// #region without-nest
import mongoose from 'mongoose';
import { PolyMongoWrapper } from 'nestjs-polymongo';

export async function report(mongoURI: string) {
  const polymongo = new PolyMongoWrapper({ mongoURI, defaultDB: 'main' });
  const User = polymongo.wrapModel(mongoose.model('User', new mongoose.Schema({ email: String })));

  const here = await User.countDocuments();
  const archived = await User.db('archive').countDocuments();
  await polymongo.actions.closeAll();
  return { here, archived };
}
// #endregion

export const up = ({ db }) => db.collection('members').updateMany({ plan: null }, { $set: { plan: 'free' } });
export const down = ({ db }) => db.collection('members').updateMany({}, { $unset: { plan: '' } });

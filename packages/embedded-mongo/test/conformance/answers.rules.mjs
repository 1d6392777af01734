// Differences from the answers of a real mongod 5.0 (../shared/conformance/answers) that are right as they are, by kind,
// each with its source. A kind is what the replay prints: nature, subject, command, codes there/here, three operators.
export const RULES = [
  {
    name: 'range windows over dates hold the document they are of',
    kind: /^result dates aggregate ok\/ok (\S+ )*\$setWindowFields/,
    source:
      'A window [-1, 0] sums to 0 there for a document whose own value is 5. Manual, $setWindowFields, "window": the ' +
      'bounds are relative to the value of the sortBy field of the current document, so that 0 takes that document in.',
  },
];

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
  {
    name: 'partial indexes take an $or',
    kind: /^(accepted indexes createIndexes 67\/ok|code indexes createIndexes 67\/86) (\S+ )*\$or/,
    source: 'Manual, Partial Indexes: "$or" and "$in" in a partialFilterExpression since 6.0.',
  },
  {
    name: 'the default format of $dateToString has a Z in UTC alone',
    kind: /^result dates aggregate ok\/ok \$dateToString \$limit \$literal$/,
    source:
      'mongod (exec/expression/evaluate_date.cpp): without a format, kIsoFormatStringZ where isUtcZone(), else ' +
      'kIsoFormatStringNonZ; 5.0 put the Z, which says UTC, after the time of any zone.',
  },
  {
    name: 'an addition to a date before 1970 keeps its milliseconds',
    kind: /^result dates aggregate ok\/ok \$date(Add|Subtract) \$limit \$literal$/,
    source:
      'A fault of 5.0: one hour after -1 ms it gave 3598999 ms, a second less than an hour. Manual, $dateAdd: one hour is added.',
  },
  {
    name: 'sliding range windows over dates do not fail',
    kind: /^accepted dates aggregate 5371400\/ok (\S+ )*\$setWindowFields/,
    source:
      'A fault of 5.0: 5371400 is its own assertion "Can\'t remove from an empty WindowFunctionMinMax function". ' +
      'Manual, $setWindowFields, range with a unit: $max over it is defined.',
  },
  {
    name: 'documents at the same distance have no order, and distances no last digit',
    kind: /^result places (aggregate|find) ok\/ok (\S+ )*\$(geoNear|near|nearSphere)\b/,
    source:
      'Manual, $near and $geoNear: sorted by distance, nothing beyond. Of all these answers the distances agree, place by ' +
      'place, to 9 digits; those of a document within a nanometre of the place asked for are rounding alone.',
  },
  {
    name: "a date that is none of JavaScript's was written down as 0",
    kind: /^result numbers aggregate ok\/ok \$add \$limit \$literal$/,
    source:
      'The record: its driver made an invalid Date of a sum beyond 8.64e15 ms and wrote that down as 0; what is compared ' +
      'here is read from the server as that invalid Date. Each of these sums has a date and a number that large.',
  },
];

import { describe, expect, test } from '@jest/globals';
import { accumulatorNamed } from '../../../src/query/accumulator.js';
import { isOperator } from '../../../src/query/expression.js';
import { isFieldOperator } from '../../../src/query/filter/operators.js';
import { STAGES } from '../../../src/query/stage/stages.js';

const unknown = (names: string, isKnown: (name: string) => unknown): string[] =>
  names
    .trim()
    .split(/\s+/)
    .map((name) => `$${name}`)
    .filter((name) => !isKnown(name));

/** What the manual of MongoDB 7.0 lists; the names that are missing here stand in docs/differences.md. */
describe("MongoDB 7.0's operators", () => {
  test('stages', () => {
    const names = `addFields bucket bucketAuto changeStream changeStreamSplitLargeEvent collStats count currentOp densify
      documents facet fill geoNear graphLookup group indexStats limit listLocalSessions listSampledQueries
      listSearchIndexes listSessions lookup match merge out planCacheStats project redact replaceRoot replaceWith sample
      search searchMeta set setWindowFields shardedDataDistribution skip sort sortByCount unionWith unset unwind`;
    expect(unknown(names, (name) => STAGES.has(name))).toEqual(['$listSampledQueries', '$shardedDataDistribution']);
  });

  test('expressions', () => {
    const names = `abs acos acosh add allElementsTrue and anyElementTrue arrayElemAt arrayToObject asin asinh atan atan2
      atanh avg binarySize bitAnd bitNot bitOr bitXor bsonSize ceil cmp concat concatArrays cond convert cos cosh dateAdd
      dateDiff dateFromParts dateFromString dateSubtract dateToParts dateToString dateTrunc dayOfMonth dayOfWeek
      dayOfYear degreesToRadians divide eq exp filter first firstN floor function getField gt gte hour ifNull in
      indexOfArray indexOfBytes indexOfCP isArray isNumber isoDayOfWeek isoWeek isoWeekYear last lastN let literal ln log
      log10 lt lte ltrim map max maxN median mergeObjects meta millisecond min minN minute mod month multiply ne not
      objectToArray or percentile pow radiansToDegrees rand range reduce regexFind regexFindAll regexMatch replaceAll
      replaceOne reverseArray round rtrim second setDifference setEquals setField setIntersection setIsSubset setUnion
      sin sinh size slice sortArray split sqrt stdDevPop stdDevSamp strLenBytes strLenCP strcasecmp substr substrBytes
      substrCP subtract sum switch tan tanh toBool toDate toDecimal toDouble toHashedIndexKey toInt toLong toLower
      toObjectId toString toUpper trim trunc tsIncrement tsSecond type unsetField week year zip`;
    expect(unknown(names, isOperator)).toEqual([]);
  });

  test('accumulators', () => {
    const names = `accumulator addToSet avg bottom bottomN count first firstN last lastN max maxN median mergeObjects min
      minN percentile push stdDevPop stdDevSamp sum top topN`;
    expect(unknown(names, accumulatorNamed)).toEqual([]);
  });

  test('query operators on fields', () => {
    const names = `all bitsAllClear bitsAllSet bitsAnyClear bitsAnySet elemMatch eq exists geoIntersects geoWithin gt gte
      in lt lte mod ne near nearSphere nin not regex size type`;
    expect(unknown(names, isFieldOperator)).toEqual([]);
  });
});

import { BsonType, readInt32 } from './bson-types.js';
import { CanonicalJsonWriter } from './canonical-json.writer.js';

/** The last millisecond of 9999, up to which relaxed Extended JSON has dates as text (its specification, "Datetime"). */
const LAST_TEXT_DATE = Date.UTC(10_000, 0) - 1;

/** Writes BSON as relaxed Extended JSON: numbers as numbers and dates as text, so that an int64 may come back as an int32. */
export class RelaxedJsonWriter extends CanonicalJsonWriter {
  protected override value(type: number, p: number): number {
    switch (type) {
      case BsonType.Int32:
        this.integer(readInt32(this.source, p));
        return p + 4;
      case BsonType.Int64:
        this.int64(p);
        return p + 8;
      case BsonType.Double: {
        const value = this.source.readDoubleLE(p);
        if (!Number.isFinite(value)) return super.value(type, p);
        this.doubleText(value);
        return p + 8;
      }
      case BsonType.Date: {
        const time = this.source.readBigInt64LE(p);
        if (time < 0n || time > LAST_TEXT_DATE) return super.value(type, p);
        this.ascii(`{"$date":"${new Date(Number(time)).toISOString()}"}`);
        return p + 8;
      }
      default:
        return super.value(type, p);
    }
  }
}

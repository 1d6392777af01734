import { PolyMongoError } from '../../../polymongo.errors.js';

/** Somebody has written to the database of a tenant at the target of its move, which was empty when the move began. */
export class MoveObstructedError extends PolyMongoError {
  constructor(
    /** The name of the target's cluster. */
    readonly cluster: string,
    /** The collections that are in the way, or missing there. */
    readonly collections: readonly string[],
  ) {
    super(
      `The collections ${collections.join(', ')} could not be put in place on the cluster "${cluster}": somebody has written there ` +
        'meanwhile. Take away what is in the way and run the move again, or roll it back.',
    );
  }
}

/** Collections came to the source of a move after all of it was fenced: nothing of it is dropped. */
export class MoveLeftoverError extends PolyMongoError {
  constructor(
    /** Their names. */
    readonly collections: readonly string[],
  ) {
    super(
      `Something has made the collections ${collections.join(', ')} at the source of the move since. Look at them, take over what ` +
        'is missing and drop them, then confirm the move again.',
    );
  }
}

/** What is to be moved cannot be fenced or copied as it is. */
export class MoveRefusedError extends PolyMongoError {
  constructor(
    /** The tenant. */
    readonly tenantId: string,
    reason: string,
  ) {
    super(`Tenant ${tenantId} was not moved: ${reason}`);
  }
}

/** What was copied, or is at both ends, is not the same; the tenant is where it was. */
export class MoveDifferenceError extends PolyMongoError {
  constructor(
    /** The tenant. */
    readonly tenantId: string,
    /** What differs, by collection. */
    readonly differences: readonly string[],
    during: 'move' | 'confirm' | 'rollback',
  ) {
    super(
      (during === 'rollback'
        ? `Tenant ${tenantId} has been written to since it was moved, so it stays where it is. To lose that, use rollback(id, { discardWrites: true }). `
        : `Tenant ${tenantId} was not moved, as its copy was not the same. Move it again. `) +
        `Different are: ${differences.join('; ')}.`,
    );
  }
}

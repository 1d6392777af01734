import type { StageDefinition } from './stage.js';
import { bucketAutoStage } from './bucket-auto.stage.js';
import { bucketStage } from './bucket.stage.js';
import { countStage, sortByCountStage } from './count.stage.js';
import { densifyStage } from './densify.stage.js';
import { documentsStage } from './documents.stage.js';
import { facetStage } from './facet.stage.js';
import { fillStage } from './fill.stage.js';
import { geoNearStage } from './geo-near.stage.js';
import { graphLookupStage } from './graph-lookup.stage.js';
import { groupStage } from './group.stage.js';
import { hostSourceStages, searchStages } from './host-source.stage.js';
import { limitStage, skipStage } from './limit.stage.js';
import { lookupStage } from './lookup.stage.js';
import { matchStage } from './match.stage.js';
import { mergeStage } from './merge.stage.js';
import { outStage } from './out.stage.js';
import { addFieldsStage, projectStage, unsetStage } from './project.stage.js';
import { redactStage } from './redact.stage.js';
import { replaceRootStage, replaceWithStage } from './replace-root.stage.js';
import { sampleStage } from './sample.stage.js';
import { setWindowFieldsStage } from './set-window-fields.stage.js';
import { sortStage } from './sort.stage.js';
import { splitLargeEventStage } from './split-large-event.stage.js';
import { unionWithStage } from './union-with.stage.js';
import { unwindStage } from './unwind.stage.js';

/** Every stage of a pipeline, by name. */
export const STAGES: ReadonlyMap<string, StageDefinition> = new Map(
  Object.entries<StageDefinition>({
    $addFields: addFieldsStage,
    $bucket: bucketStage,
    $bucketAuto: bucketAutoStage,
    $changeStreamSplitLargeEvent: splitLargeEventStage,
    $count: countStage,
    $densify: densifyStage,
    $documents: documentsStage,
    $facet: facetStage,
    $fill: fillStage,
    $geoNear: geoNearStage,
    $graphLookup: graphLookupStage,
    $group: groupStage,
    $limit: limitStage,
    $lookup: lookupStage,
    $match: matchStage,
    $merge: mergeStage,
    $out: outStage,
    $project: projectStage,
    $redact: redactStage,
    $replaceRoot: replaceRootStage,
    $replaceWith: replaceWithStage,
    $sample: sampleStage,
    $set: addFieldsStage,
    $setWindowFields: setWindowFieldsStage,
    $skip: skipStage,
    $sort: sortStage,
    $sortByCount: sortByCountStage,
    $unionWith: unionWithStage,
    $unset: unsetStage,
    $unwind: unwindStage,
    ...hostSourceStages,
    ...searchStages,
  }),
);

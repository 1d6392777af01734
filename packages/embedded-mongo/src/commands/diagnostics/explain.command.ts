import { CommandError } from '../../errors.js';
import type { Doc, Value } from '../../bson/value.js';
import { isDoc } from '../../bson/value.js';
import { compilePipeline, pipelineStages } from '../../query/pipeline.js';
import { nsString } from '../../storage/namespace.js';
import { planQuery } from '../../storage/plan/planner.js';
import type { PlanRequest } from '../../storage/plan/planner.js';
import { aggregateNamespace } from '../aggregate/aggregate.command.js';
import { OperationPipelineHost } from '../aggregate/pipeline-host.js';
import { arrayArgument, docArgument, stringArgument } from '../arguments.js';
import { checkArguments } from '../command-arguments.js';
import type { Command } from '../command.js';
import { countRequestOf } from '../crud/count.command.js';
import { hintOf, planRequestOf } from '../crud/find.command.js';
import { namespaceOf } from '../crud/namespace-argument.js';
import { queryEnv } from '../crud/query-env.js';
import { openReadView } from '../crud/read-view.js';
import { Operation } from '../operation.js';
import { fieldsOf, int, reply } from '../reply.js';
import type { ReplyDoc } from '../reply.js';
import { findCommand } from '../registry.js';
import { VERSION } from './build-info.command.js';

const VERBOSITIES = ['queryPlanner', 'executionStats', 'allPlansExecution'];
const EMPTY: Doc = new Map();

export const explain: Command = {
  name: 'explain',
  isInApiV1: true,
  args: { explain: 'object!', verbosity: 'string' },
  run(op) {
    const inner = docArgument(op.args, 'explain')!;
    const verbosity = stringArgument(op.args, 'verbosity') ?? 'allPlansExecution';
    if (!VERBOSITIES.includes(verbosity)) {
      throw new CommandError(
        'BadValue',
        `Enumeration value '${verbosity}' for field 'explain.verbosity' is not a valid value.`,
      );
    }
    const [name] = inner.keys();
    const command = name === undefined ? undefined : findCommand(name);
    if (!command) throw new CommandError('CommandNotFound', `Explain failed due to unknown command: ${name}`);
    checkArguments(command, name!, inner);
    return explainCommand(innerOperation(op, command, name!, inner), verbosity !== 'queryPlanner');
  },
};

const innerOperation = (op: Operation, command: Command, name: string, args: Doc): Operation =>
  new Operation(op.id, op.server, op.client, command, name, op.db, args, op.generic, op.request, undefined);

/** Also for an aggregate with `explain: true`. @throws CommandError for a command that has no plan */
export function explainCommand(op: Operation, hasStats: boolean): ReplyDoc {
  const body = explained(op, hasStats);
  const [host, port] = op.server.topology.host.split(':');
  return reply({
    explainVersion: '1',
    ...Object.fromEntries(body),
    command: new Map<string, Value>([...op.args, ['$db', op.db]]),
    serverInfo: fieldsOf({ host, port: int(Number(port)), version: VERSION, gitVersion: 'polymongo-embedded' }),
    serverParameters: fieldsOf({}),
  });
}

/** An explained command is an operation of its own, which nobody else ends. */
function explained(op: Operation, hasStats: boolean): Doc {
  try {
    return op.command.name === 'aggregate' ? explainPipeline(op, hasStats) : explainQuery(op, hasStats);
  } finally {
    op.releaseSnapshot();
  }
}

function explainQuery(op: Operation, hasStats: boolean): Doc {
  const { view } = openReadView(op);
  const ns = namespaceOf(op);
  const entry = op.server.storage.catalog.find(ns, view);
  const collection = entry?.kind === 'collection' ? entry : undefined;
  const { request, collation, stage } = requestOf(op);
  const plan = planQuery(collection, request, queryEnv(op, { collation, collection }));
  const planner = plan.queryPlannerDoc();
  planner.set('namespace', nsString(ns));
  if (stage) planner.set('winningPlan', new Map([...stage, ['inputStage', planner.get('winningPlan')!]]));
  const stats = hasStats ? plan.executionStatsDoc(view) : undefined;
  return fieldsOf({ queryPlanner: planner, executionStats: stats });
}

interface ExplainedRequest {
  readonly request: PlanRequest;
  readonly collation: Doc | undefined;
  /** What the command does on top of the plan. */
  readonly stage?: Doc | undefined;
}

function requestOf({ command, args }: Operation): ExplainedRequest {
  const collation = docArgument(args, 'collation');
  const hint = hintOf(args);
  switch (command.name) {
    case 'find':
      return { request: { ...planRequestOf(args), projection: docArgument(args, 'projection') }, collation };
    case 'count':
      return { request: countRequestOf(args), collation };
    case 'distinct': {
      const filter = docArgument(args, 'query') ?? EMPTY;
      return { request: { filter, hint, distinctKey: stringArgument(args, 'key') }, collation };
    }
    case 'findAndModify': {
      const request = { filter: docArgument(args, 'query') ?? EMPTY, sort: docArgument(args, 'sort'), hint, limit: 1 };
      return { request, collation, stage: fieldsOf({ stage: args.has('update') ? 'UPDATE' : 'DELETE' }) };
    }
    case 'update':
    case 'delete': {
      const [statement] = arrayArgument(args, `${command.name}s`) ?? [];
      if (!isDoc(statement)) throw new CommandError('InvalidLength', 'explained write batches must be of size 1');
      const request = { filter: docArgument(statement, 'q') ?? EMPTY, hint: hintOf(statement) };
      const stage = fieldsOf({ stage: command.name === 'update' ? 'UPDATE' : 'DELETE' });
      return { request, collation: docArgument(statement, 'collation'), stage };
    }
    default:
      throw new CommandError('IllegalOperation', `Cannot explain cmd: ${command.name}`);
  }
}

function explainPipeline(op: Operation, hasStats: boolean): Doc {
  const namespace = aggregateNamespace(op);
  const { view } = openReadView(op);
  const { db, coll } = namespace;
  const entry = coll === undefined ? undefined : op.server.storage.catalog.find({ db, coll }, view);
  const isView = entry?.kind === 'view';
  const collection = isView ? op.server.storage.catalog.collection({ db, coll: entry.viewOn }, view) : entry;
  const given = pipelineStages(op.args.get('pipeline'));
  const stages = isView ? [...entry.pipeline, ...given] : given;
  const host = new OperationPipelineHost(op, view);
  const env = { ...queryEnv(op, { collation: docArgument(op.args, 'collation'), collection }), host };
  const { leading } = compilePipeline(stages as Value[], env, { namespace });
  const plan = planQuery(collection, { ...leading, filter: leading.filter ?? EMPTY, hint: hintOf(op.args) }, env);
  const planner = plan.queryPlannerDoc();
  if (coll !== undefined) planner.set('namespace', nsString({ db, coll: isView ? entry.viewOn : coll }));
  const executionStats = hasStats ? plan.executionStatsDoc(view) : undefined;
  const taken = [leading.filter, leading.sort, leading.skip, leading.limit].filter((part) => part !== undefined).length;
  const rest = stages.slice(taken);
  const cursor = fieldsOf({ queryPlanner: planner, executionStats });
  return rest.length === 0 ? cursor : fieldsOf({ stages: [fieldsOf({ $cursor: cursor }), ...rest] });
}

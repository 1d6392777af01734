import { ObjectId } from 'bson';
import { timestampOf } from '../../storage/clock.js';
import type { Command } from '../command.js';
import { fieldsOf, int, long, reply } from '../reply.js';

const PRIMARY = 1;

export const replSetGetStatus: Command = {
  name: 'replSetGetStatus',
  isAdminOnly: true,
  isLenient: true,
  args: {},
  run({ server }) {
    const { topology, storage, startedAt } = server;
    const ts = timestampOf(storage.clock.now);
    const optime = topology.opTime(ts);
    const uptime = int(Math.floor((Date.now() - startedAt.getTime()) / 1000));
    const optimeDate = new Date(ts.getHighBitsUnsigned() * 1000);
    return reply({
      set: topology.setName,
      date: new Date(),
      myState: int(PRIMARY),
      term: optime.get('t'),
      heartbeatIntervalMillis: long(2000),
      majorityVoteCount: int(1),
      writeMajorityCount: int(1),
      votingMembersCount: int(1),
      writableVotingMembersCount: int(1),
      optimes: fieldsOf({
        lastCommittedOpTime: optime,
        readConcernMajorityOpTime: optime,
        appliedOpTime: optime,
        durableOpTime: optime,
      }),
      members: [
        fieldsOf({
          _id: int(0),
          name: topology.host,
          health: 1,
          state: int(PRIMARY),
          stateStr: 'PRIMARY',
          uptime,
          optime,
          optimeDate,
          electionTime: timestampOf(storage.clock.now),
          electionDate: startedAt,
          configVersion: int(1),
          configTerm: int(1),
          self: true,
        }),
      ],
    });
  },
};

export const replSetGetConfig: Command = {
  name: 'replSetGetConfig',
  isAdminOnly: true,
  isLenient: true,
  args: {},
  run({ server: { topology } }) {
    return reply({
      config: fieldsOf({
        _id: topology.setName,
        version: int(1),
        term: long(1),
        members: [
          fieldsOf({
            _id: int(0),
            host: topology.host,
            arbiterOnly: false,
            buildIndexes: true,
            hidden: false,
            priority: 1,
            tags: fieldsOf({}),
            secondaryDelaySecs: long(0),
            votes: int(1),
          }),
        ],
        protocolVersion: long(1),
        writeConcernMajorityJournalDefault: true,
        settings: fieldsOf({ chainingAllowed: true, replicaSetId: new ObjectId(topology.processId.id) }),
      }),
    });
  },
};

export const getDefaultRWConcern: Command = {
  name: 'getDefaultRWConcern',
  isAdminOnly: true,
  isLenient: true,
  args: {},
  run: () =>
    reply({
      defaultReadConcern: fieldsOf({ level: 'local' }),
      defaultWriteConcern: fieldsOf({ w: 'majority', wtimeout: int(0) }),
      defaultWriteConcernSource: 'implicit',
      defaultReadConcernSource: 'implicit',
      localUpdateWallClockTime: new Date(),
    }),
};

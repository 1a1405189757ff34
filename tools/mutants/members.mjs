// Rules 8 and 9: who is in the cluster.
import { core, ofRule, paper, rules, streams } from './places.mjs';

const founding = 'test/unit/transport/founding.test.ts';

export const members = [
  ...ofRule(8, rules('rule-8-one-change-at-a-time'), [
    {
      name: 'a second change of members begins while the first is under way',
      file: core('membership'),
      find: 'return isSettled ? undefined',
      replace: 'return isSettled || draft.now >= 0 ? undefined',
      claim: 'refuses a second change while the first is under way',
    },
    {
      name: 'a change begins before the leader has committed in its term',
      file: core('membership'),
      find: "  if (draft.commitIndex < leader.readyIndex)\n    return 'the leader has not committed an entry of its own term yet';\n",
      replace: '',
      claim: 'refuses a change before the leader has committed an entry of its own term',
    },
    {
      name: 'a leader uses a configuration once it is committed',
      file: core('replication'),
      find: "if (batch.kind === 'configuration') adopt(draft, batch);",
      replace: '',
      claim: 'a leader uses the new configuration before it is committed',
    },
    {
      name: 'a follower does not take on the configurations that it appends',
      file: core('append-entries'),
      find: "if (batch.kind === 'configuration' && adopt(draft, batch) === undefined)",
      replace: "if (batch.kind === 'configuration' && batch.count > 1 && adopt(draft, batch) === undefined)",
      claim: 'a follower takes it on when it is appended, and drops it when it is truncated',
    },
    {
      name: 'a configuration stays when it is truncated',
      file: core('durability'),
      find: '  draft.configurations = draft.configurations.filter((at) => at.index < from);\n',
      replace: '',
      claim: 'a follower takes it on when it is appended, and drops it when it is truncated',
    },
    {
      name: 'voters change without a joint configuration',
      file: core('member-change'),
      find: 'return isSame ? target : { ...target, votersOutgoing: current.voters };',
      replace: 'return isSame ? target : target;',
      claim: 'a leader uses the new configuration before it is committed',
    },
    {
      name: 'a change is answered when the joint configuration is committed',
      file: core('membership'),
      find: '  if (latest.configuration.votersOutgoing.length > 0) {\n',
      replace:
        "  if (latest.configuration.votersOutgoing.length > 0) {\n    if (leader.changeId !== null) answerAdmin(work, leader.changeId, { type: 'ok' });\n    leader.changeId = null;\n",
      claim: 'answers once the new configuration alone is committed, not the joint one',
    },
    {
      name: 'the condition on the configuration is passed over',
      file: core('membership'),
      find: 'if (expectedIndex !== undefined && expectedIndex !== current.index) {',
      replace: 'if (expectedIndex !== undefined && expectedIndex < 0) {',
      claim: 'refuses a change that counts on another configuration',
    },
    {
      name: 'a snapshot brings the configuration under way',
      file: core('snapshot-sending'),
      find: 'const configuration = configurationAt(draft, sent.index) as ConfigurationAt;',
      replace:
        'const configuration = draft.configurations.at(-1) ?? (configurationAt(draft, sent.index) as ConfigurationAt);',
      claim: 'a snapshot brings the configuration that is committed, not the one under way',
    },
    {
      name: 'a learner that has caught up is not promoted',
      file: core('membership'),
      find: 'if (ready.length === 0 || obstacleOf(draft, leader) !== undefined) return;',
      replace: 'if (ready.length >= 0 || obstacleOf(draft, leader) !== undefined) return;',
      claim: 'adds a learner, and makes it a voter by itself once it has caught up',
    },
    {
      name: 'a learner is promoted before it has caught up',
      file: core('membership'),
      find: "    hasAnswered(draft, leader, peer) &&\n    peer.state === 'replicate' &&\n    leader.markIndex > 0 &&\n    peer.matchIndex >= leader.markIndex\n",
      replace: '    leader.peers.includes(peer) || hasAnswered(draft, leader, peer)\n',
      test: paper('thesis-4.2.1-catching-up-new-servers'),
      claim:
        'Each round replicates all the log entries present in the leader’s log at the start of the round',
    },
  ]),
  ...ofRule(9, rules('rule-9-name-and-store'), [
    {
      name: 'a vote is counted by name alone',
      file: core('configuration'),
      find: 'if (id === peer.id && storeId === peer.storeId) return true;',
      replace: 'if (id === peer.id) return true;',
      also: [
        {
          file: core('election'),
          find: 'votes.some((vote) => isSamePeer(vote, voter)));',
          replace: 'votes.some((vote) => vote.id === voter.id));',
        },
      ],
      claim: 'a vote of a known name on an unknown store does not count',
    },
    {
      name: 'an acknowledgement is counted by name alone',
      file: core('peers'),
      find: '!isSamePeer(peers[place] as Progress, peer)',
      replace: '(peers[place] as Progress).id !== peer.id',
      claim: 'an acknowledgement of a known name on an unknown store does not count',
    },
    {
      name: 'a node without a configuration votes',
      file: core('election'),
      find: 'return draft.configurations.length > 0;',
      replace: 'return draft.configurations.length >= 0;',
      claim: 'a node without a configuration does not vote',
    },
    {
      name: 'a node without a configuration acknowledges',
      file: core('append-entries'),
      find: 'if (draft.configurations.length === 0) return undefined; // It belongs to no cluster yet (rule 9).',
      replace: '',
      claim: 'a node without a configuration does not acknowledge',
    },
    {
      name: 'a node without a configuration stands for election',
      file: core('election'),
      find: '  const committed = configurations.findLastIndex((at) => at.index <= commitIndex);\n',
      replace:
        '  const committed = configurations.findLastIndex((at) => at.index <= commitIndex);\n  if (configurations.length === 0) return true;\n',
      claim: 'a node without a configuration does not stand for election',
    },
    {
      name: 'a wiped store is let in under its old name',
      file: 'src/transport/admission.ts',
      find: '  if (members.some((member) => isSamePeer(member, hello))) return null;\n',
      replace: '  if (members.some(({ id }) => id === hello.id)) return null;\n',
      test: 'test/unit/transport/admission.test.ts',
      claim: 'refuses an empty store under a listed name with the commands to run',
    },
    {
      name: 'a wiped store takes the founding that lists the store it was',
      file: 'src/transport/founding.ts',
      find: 'const isListed = has(found.voters, state.self);',
      replace: 'const isListed = found.voters.some((voter) => voter.id === state.self.id);',
      test: founding,
      claim: 'does not take the founding that lists the store it was',
    },
    {
      name: 'a cluster is founded though a member is missing',
      file: 'src/transport/founding.ts',
      find: '    if (storeId === null) return only(state);\n    voters.push({ id, storeId, url });',
      replace: "    voters.push({ id, storeId: storeId ?? '?', url });",
      test: founding,
      claim: 'waits while one has not been heard',
    },
    {
      name: 'whoever has the name of a member is taken for it when it dials',
      file: streams('peer-addresses'),
      find: 'members.some((member) => isSamePeer(member, peer));',
      replace: 'members.some((member) => member.id === peer.id);',
      test: 'test/unit/streams/node-network.test.ts',
      claim: 'does not take a store that only has the name of a member for it (rule 9)',
    },
    {
      name: 'a store of another address is taken for the one that is to be added',
      file: streams('node-network'),
      find: 'if (dialedUrl !== undefined) return dialedUrl === url;',
      replace: 'if (dialedUrl !== undefined) return true;',
      test: 'test/unit/streams/node-network.test.ts',
      claim:
        'is not taken for a store of its name that is elsewhere, and answers if it dials and says where it is',
    },
    {
      name: 'somebody is told of a founding that is not on disk',
      file: 'src/transport/founding.ts',
      find: '  if (!state.isDurable) return [];\n',
      replace: '',
      test: founding,
      claim: 'tells nobody before the founding is durable, and then everyone',
    },
  ]),
];

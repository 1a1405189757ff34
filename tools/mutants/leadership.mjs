// Rules 17 to 20: when a leader stops leading.
import { core, ofRule, paper, rules } from './places.mjs';

export const leadership = [
  ...ofRule(17, rules('rule-17-silent-without-quorum'), [
    {
      name: 'a leader that lost its quorum leads on',
      file: core('leader'),
      find: 'if (!hasActiveQuorum(draft, leader)) return becomeFollower(work, draft.currentTerm, null);',
      replace: 'hasActiveQuorum(draft, leader);',
      claim: 'steps down within two of the shortest election timeouts',
    },
    {
      name: 'a leader does not count who answers',
      file: core('append-entries'),
      find: '  peer.isActive = true;\n',
      replace: '',
      claim: 'leads on while a majority answers',
    },
  ]),
  ...ofRule(18, rules('rule-18-hung-disk'), [
    {
      name: 'a leader whose disk hangs leads on',
      file: core('leader'),
      find: 'if (draft.flushElapsedMs >= draft.config.electionTimeoutMsMax)',
      replace: 'if (draft.flushElapsedMs < 0)',
      claim: 'though its followers answer, and what it wrote is unknown',
    },
    {
      name: 'a flush that came does not count',
      file: core('flush'),
      find: '  draft.flushElapsedMs = 0;\n',
      replace: '',
      claim: 'leads on while flushes come, though there is always one under way',
    },
    {
      name: 'a node whose disk hangs stands for election',
      file: core('election'),
      find: 'const isDiskHung = draft.flushElapsedMs >= draft.config.electionTimeoutMsMin;',
      replace: 'const isDiskHung = draft.flushElapsedMs < 0;',
      claim: 'a node whose disk hangs does not stand for election, and sticks to nobody',
    },
  ]),
  ...ofRule(19, rules('rule-19-transfer'), [
    {
      name: 'a transfer never ends',
      file: core('transfer'),
      find: 'const isOver = leader.transfer.elapsedMs >= draft.config.electionTimeoutMsMin;',
      replace: 'const isOver = leader.transfer.elapsedMs < 0;',
      claim: 'gives up after an election timeout, and takes writes again',
    },
    {
      name: 'a transfer goes on though its successor is demoted',
      file: core('transfer'),
      find: 'if (!isOver && isVoter(configurationOf(draft), transfer.to)) return;',
      replace: 'if (!isOver) return;',
      claim: 'is aborted when the change under way is to demote the successor, which is not asked to stand',
    },
    {
      name: 'a transfer goes on though its successor is removed',
      file: core('transfer'),
      find: 'if (!isOver && isVoter(configurationOf(draft), transfer.to)) return;',
      replace: 'if (!isOver) return;',
      claim: 'is aborted when the change under way is to remove the successor, which is not asked to stand',
    },
    {
      name: 'a successor that no longer votes is asked to stand',
      file: core('transfer'),
      find: 'if (isJoint || !isVoter(configuration, transfer.to)) return;',
      replace: '',
      claim: 'is aborted when the change under way is to demote the successor, which is not asked to stand',
    },
    {
      name: 'writes go on during a transfer',
      file: core('writes'),
      find: 'if (role.transfer !== null)',
      replace: 'if (role.transfer !== null && draft.now < 0)',
      claim: 'refuses writes meanwhile: they are not committed',
    },
    {
      name: 'a successor is asked to stand before it has the whole log',
      file: core('transfer'),
      find: 'if (successor?.matchIndex === draft.log.lastIndex) askToStand(work, successor);',
      replace: 'if (successor !== undefined) askToStand(work, successor);',
      claim: 'brings a successor that lacks something up to date first',
    },
    {
      name: 'a change of members begins during a transfer',
      file: core('membership'),
      find: 'if (leader.transfer !== null) return `leadership',
      replace: 'if (leader.transfer !== null && draft.now < 0) return `leadership',
      claim: 'no change of members begins meanwhile',
    },
    {
      name: 'anybody may ask a node to stand',
      file: core('election'),
      find: 'if (request.term === draft.currentTerm && isFromLeader && canCampaign(draft)) becomeCandidate(work, true);',
      replace: 'if (isFromLeader || canCampaign(draft)) becomeCandidate(work, true);',
      test: paper('thesis-3.10-leadership-transfer'),
      claim: 'Only the leader of the term may ask: a request that is late, or from another, has no effect.',
    },
    {
      name: 'the successor’s request for votes is passed over',
      file: core('election'),
      find: 'if (isSticky(draft) && !request.isTransfer) return;',
      replace: 'if (isSticky(draft)) return;',
      test: paper('thesis-4.2.3-disruptive-servers'),
      claim:
        'RequestVote messages of a leadership transfer should be processed by other servers even when they believe a current cluster leader exists',
    },
    {
      name: 'leadership is handed to a learner',
      file: core('transfer'),
      find: '.filter((peer) => peer.isConnected && isVoter(configuration, peer))',
      replace: '.filter((peer) => peer.isConnected)',
      claim: 'refuses a second transfer, a learner and a stranger',
    },
  ]),
  ...ofRule(20, rules('rule-20-removed-leader'), [
    {
      name: 'a removed leader leads on',
      file: core('commit'),
      find: "if (onConfigurationCommitted(work, leader) === 'leaves') leave(work, leader);",
      replace: 'onConfigurationCommitted(work, leader);',
      claim: 'then answers, and asks the voter that is furthest to stand',
    },
    {
      name: 'a removed leader hands over to the voter that is least far',
      file: core('transfer'),
      find: '.sort((a, b) => b.matchIndex - a.matchIndex)[0];',
      replace: '.sort((a, b) => a.matchIndex - b.matchIndex)[0];',
      claim: 'asks the voter that is furthest, not another',
    },
    {
      name: 'a leader leaves before its removal is committed',
      file: core('membership'),
      find: "  if (latest.configuration.votersOutgoing.length > 0) {\n    proposeConfiguration(work, leader, { ...latest.configuration, votersOutgoing: [] });\n    return 'stays';",
      replace:
        "  if (latest.configuration.votersOutgoing.length > 0) {\n    proposeConfiguration(work, leader, { ...latest.configuration, votersOutgoing: [] });\n    return isVoter({ ...latest.configuration, votersOutgoing: [] }, draft.self) ? 'stays' : 'leaves';",
      claim: 'leads on until its removal is committed, without counting itself',
    },
    {
      name: 'a removed leader follows without handing over',
      file: core('transfer'),
      find: 'if (successor === undefined) return becomeFollower(work, draft.currentTerm, null);',
      replace: 'if (successor !== null) return becomeFollower(work, draft.currentTerm, null);',
      claim: 'then answers, and asks the voter that is furthest to stand',
    },
    {
      name: 'a leader whose removal nobody else holds may not stand',
      file: core('election'),
      find: 'return configurations.slice(Math.max(0, committed)).some((at) => isVoter(at.configuration, self));',
      replace:
        'return configurations.slice(-1).some((at) => isVoter(at.configuration, self)) && committed >= -1;',
      claim: 'one whose removal nobody else holds may lead again, to commit it (thesis §4.2.2)',
    },
  ]),
];

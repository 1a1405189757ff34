// Rule 22: exactly one answer, and a true one.
import { core, ofRule, rules, streams } from './places.mjs';

const unknownWrite = "work.outputs.push({ type: 'writeRes', id: write.id, result: { type: 'unknown' } });";
const forwarded = 'test/unit/streams/forwarded.test.ts';

export const answers = [
  ...ofRule(22, rules('rule-22-one-answer'), [
    {
      name: 'a write is called not committed when its leader steps down',
      file: core('role'),
      find: unknownWrite,
      replace: unknownWrite.replace(
        "{ type: 'unknown' }",
        "{ type: 'notCommitted', reason: { type: 'overloaded' } }",
      ),
      claim: 'what was appended is unknown when its leader steps down because of a newer term',
    },
    {
      name: 'what is committed is called unknown when its leader steps down',
      file: core('role'),
      find: 'if (write.lastIndex <= draft.commitIndex) continue; // Committed: answered when applied.',
      replace: '',
      claim:
        'what is committed and not applied yet is answered as committed though its leader has stepped down',
    },
    {
      name: 'a write is answered when it is committed, before it is applied',
      file: core('commit'),
      find: 'if (write.lastIndex > draft.lastApplied) break;',
      replace: 'if (write.lastIndex > draft.commitIndex) break;',
      claim: 'a write is committed once it is applied, not before',
    },
    {
      name: 'a write is answered twice',
      file: core('commit'),
      find: 'if (answered > 0) draft.writes = dropped(writes, answered);',
      replace: 'if (answered > 1) draft.writes = dropped(writes, answered);',
      claim: 'a write is answered once, whatever is applied afterwards',
    },
    {
      name: 'a write that was answered as unknown waits on',
      file: core('role'),
      find: '  draft.writes = draft.writes.filter((write) => write.lastIndex <= draft.commitIndex);\n',
      replace: '',
      claim: 'a truncated entry has been answered as unknown already, and gets no second answer',
    },
    {
      name: 'a write beyond the limit is appended',
      file: core('writes'),
      find: 'if (draft.writes.length >= draft.config.pendingWritesMax) {',
      replace: 'if (draft.writes.length > draft.config.pendingWritesMax) {',
      claim: 'a write beyond the limit is not appended, and not committed',
    },
    {
      name: 'a read is forgotten when its leader steps down',
      file: core('role'),
      find: "work.outputs.push({ type: 'readRes', id: read.id, result: { type: 'refused', reason } });",
      replace: '',
      test: rules('rule-10-read-index'),
      claim: 'a read that waits is refused when the leader steps down, and may be asked again',
    },
    {
      name: 'a change of members is forgotten when its leader steps down',
      file: core('role'),
      find: "if (leader.changeId !== null) answerAdmin(work, leader.changeId, { type: 'unknown' });",
      replace: '',
      claim: 'a change of members is unknown when its leader steps down',
    },
    {
      name: 'a forwarded write that was lost is called not committed',
      file: streams('write-queue'),
      find: 'this.#reject(request, lostForward(to));',
      replace: 'this.#reject(request, noLeader(null));',
      test: forwarded,
      claim: 'answers unknown when the connection breaks',
    },
    {
      name: 'a write joins one whose time is over',
      file: streams('waiting-writes'),
      find: 'return !joint.isDone && joint.timeoutMs === timeoutMs;',
      replace: 'return joint.timeoutMs === timeoutMs;',
      test: 'test/unit/streams/write-queue.test.ts',
      claim: 'has a time of its own, leaves, and takes up no room once it is answered',
    },
    {
      name: 'a read joins one whose time is over',
      file: streams('read-queue'),
      find: 'joint !== null && !joint.isDone && joint.timeoutMs === timeoutMs',
      replace: 'joint !== null && joint.timeoutMs === timeoutMs',
      test: 'test/unit/streams/read-queue.test.ts',
      claim: 'has a time of its own, leaves, and takes up no room once it is answered',
    },
    {
      name: 'a command that no machine can read is appended',
      file: streams('forwarded'),
      find: 'if (!decodePayload(payload).every(this.#options.isCommand))',
      replace: 'if (decodePayload(payload).length === 0)',
      test: forwarded,
      claim: 'refuses a command that the machine can not read, and appends nothing',
    },
    {
      name: 'a forwarded write that comes twice is appended twice',
      file: streams('forwarded'),
      find: 'if (!this.#isNew(from, bootCounter, seq)) return; // Doubled on the way: the first one is answered.',
      replace: 'this.#isNew(from, bootCounter, seq);',
      test: forwarded,
      claim: 'appends it once if it comes twice',
    },
  ]),
];

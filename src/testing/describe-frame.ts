import type { ForwardFrame, ForwardReplyFrame, PeerFrame } from '../transport/transport.ts';

/** A frame around the core in a line; `undefined` for messages between cores, and for snapshots. */
export function describeFrame(frame: PeerFrame, nameOf: (clusterId: string) => string): string | undefined {
  switch (frame.type) {
    case 'forward':
      return `forward #${frame.seq} ${describeRequest(frame)}`;
    case 'forwardReply':
      return `forwardReply to #${frame.seq} of start ${frame.bootCounter}: ${describeReply(frame)}`;
    case 'found':
      return `found ${nameOf(frame.clusterId)} {${frame.voters.map(({ id }) => id).join(',')}}`;
    case 'foundAck':
      return `foundAck ${nameOf(frame.clusterId)}`;
    default:
      return undefined;
  }
}

function describeRequest({ request }: ForwardFrame): string {
  return request.type === 'write' ? `write (${request.count})` : request.type;
}

function describeReply({ reply }: ForwardReplyFrame): string {
  switch (reply.type) {
    case 'committed':
      return `committed ${reply.index}@${reply.term}`;
    case 'results':
      return `committed ${reply.index}@${reply.term}, results ${reply.offset}+${reply.bytes.length} of ${reply.totalBytes}`;
    case 'readIndex':
      return `readIndex ${reply.index}`;
    case 'done':
      return 'done';
    default:
      return `${reply.type}, ${reply.code}`;
  }
}

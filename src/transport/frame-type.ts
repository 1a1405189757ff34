/**
 * The first byte of a frame. All but `found` and `foundAck` go on with a u32 group; then come the fields in
 * the order that their `write…` function has them: terms, indexes, sequences and counters as u64, flags as a
 * u8, texts with a u16 length, other bytes with a u32 length.
 */
export const frameType = {
  preVote: 1,
  preVoteReply: 2,
  requestVote: 3,
  requestVoteReply: 4,
  appendEntries: 5,
  appendEntriesReply: 6,
  timeoutNow: 7,
  installSnapshot: 8,
  forwardWrite: 32,
  forwardReadIndex: 33,
  replyCommitted: 34,
  replyReadIndex: 35,
  replyNotCommitted: 36,
  replyUnknown: 37,
  forwardChangeMembers: 38,
  forwardTransferLeadership: 39,
  replyDone: 40,
  replyResults: 41,
  snapshotOffer: 48,
  snapshotChunk: 49,
  snapshotAck: 50,
  found: 64,
  foundAck: 65,
} as const;

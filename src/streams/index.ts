export { bytesCodec, jsonCodec } from './codecs.ts';
export { RequestError, type RequestErrorCode } from './errors.ts';
export type * from './raft-node.ts';
export { type ReducerOptions, reducer, type Selector } from './reducer.ts';
export { raftNode } from './start-node.ts';
export type * from './state-machine.ts';
export { type Stepped, stepWith } from './step-with.ts';
export { turnScheduler } from './turn-scheduler.ts';

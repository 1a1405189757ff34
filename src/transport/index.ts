export { urlBytesMax } from '../core/member-rules.ts';
export { type HelloJudge, judgeHello, otherVersion } from './admission.ts';
export { type BackoffLimits, defaultBackoff } from './backoff.ts';
export type { FrameError, FrameErrorKind } from './byte-reader.ts';
export type { ClientSocket, ClientSocketConstructor } from './client/web-socket.ts';
export { type ClientEndpoint, clientEndpoint } from './client-endpoint.ts';
export type {
  ClientEndpointLimits,
  ClientEndpointOptions,
  EndpointLogger,
  ServedNode,
  UpgradeRefusal,
} from './client-endpoint-options.ts';
export { ClientWebSocket } from './client-web-socket.ts';
export type { Codec } from './codec.ts';
export { declaredProblem, isSameList } from './declared-members.ts';
export * from './errors.ts';
export { resultsMax } from './forward-reply-codec.ts';
export * from './founding.ts';
export { isPiece } from './frame-codec.ts';
export { membersMax, type OtherVersion, textBytesMax } from './handshake-codec.ts';
export {
  type MemoryNetwork,
  type MemoryNetworkOptions,
  memoryNetwork,
  type NetworkFaults,
} from './memory-network.ts';
export * from './message-codec.ts';
export * from './transport.ts';
export type { WsLimits, WsTransportOptions } from './ws-options.ts';
export { type WsTransport, wsTransport } from './ws-transport.ts';

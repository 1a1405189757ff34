import { WebSocket } from 'ws';
import type { ClientSocketConstructor } from './client/web-socket.ts';
import { noMask } from './no-mask.ts';

/**
 * The WebSocket of `ws` as `rxraft/client` uses it best in Node, on every version: without compression and without a
 * mask, which only browsers need.
 */
export const ClientWebSocket: ClientSocketConstructor = class extends WebSocket {
  constructor(url: string) {
    super(url, { perMessageDeflate: false, skipUTF8Validation: true, generateMask: noMask });
  }
};

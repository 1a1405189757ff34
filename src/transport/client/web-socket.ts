/** What the client needs of a WebSocket: that of a browser has it, and that of `ws`. */
export interface ClientSocket {
  /** Set to `arraybuffer`. */
  binaryType: string;
  /** Bytes that were sent and have not left. */
  readonly bufferedAmount: number;
  /** It is connected. */
  // biome-ignore lint/suspicious/noExplicitAny: each kind of WebSocket has events of its own.
  onopen: ((event: any) => void) | null;
  /** A message arrived. */
  // biome-ignore lint/suspicious/noExplicitAny: only `data` of it is used.
  onmessage: ((event: any) => void) | null;
  /** It has closed, for whatever reason; the last event. */
  // biome-ignore lint/suspicious/noExplicitAny: only `code` and `reason` of it are used.
  onclose: ((event: any) => void) | null;
  /** Something went wrong; `onclose` follows. */
  // biome-ignore lint/suspicious/noExplicitAny: only `message` of it is used, where there is one.
  onerror: ((event: any) => void) | null;
  /** Sends one binary message. */
  send(data: Uint8Array<ArrayBuffer>): void;
  /** Begins to close. */
  close(code?: number, reason?: string): void;
  /** Cuts it at once, without a word: that of `ws` does. A browser sees to it by itself. */
  terminate?(): void;
}

/** Makes a WebSocket: the global one, or that of `ws`. */
export type ClientSocketConstructor = new (url: string) => ClientSocket;

/** The global one, which Node has from version 22 on. */
export function globalWebSocket(): ClientSocketConstructor | undefined {
  return (globalThis as { readonly WebSocket?: ClientSocketConstructor }).WebSocket;
}

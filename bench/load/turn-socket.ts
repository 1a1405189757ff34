import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A TCP connection: what one event-loop turn writes to it leaves in one system call. */
export class TurnSocket {
  readonly #socket: Socket;
  #parts: Uint8Array[] = [];

  /** Connects. An end that nobody asked for is an error of the process. */
  static async open(url: string): Promise<TurnSocket> {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    await once(socket, 'connect');
    const fail = (reason: string): never => {
      throw new Error(`a connection to ${url} has ended: ${reason}`);
    };
    socket
      .once('error', ({ message }) => fail(message))
      .once('close', () => fail('the other end has closed it'));
    return new TurnSocket(socket);
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Has what arrives handed over, as it arrives. */
  onData(listener: (bytes: Buffer) => void): void {
    this.#socket.on('data', listener);
  }

  /** Ends it, as somebody asked for. */
  close(): void {
    this.#socket.removeAllListeners().on('error', () => undefined);
    this.#socket.destroy();
  }

  write(bytes: Uint8Array): void {
    if (this.#parts.push(bytes) === 1) setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#socket.write(
      this.#parts.length === 1 ? (this.#parts[0] as Uint8Array) : Buffer.concat(this.#parts),
    );
    this.#parts = [];
  }
}

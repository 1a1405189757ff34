import { connect, createServer, type Server, type Socket } from 'node:net';

/** A stretch of the network between nodes: it passes bytes on, counts them, and can be cut. */
export class CutProxy {
  /** Bytes passed on to the node behind it, of each connection that carried any, in the order they were made. */
  readonly #carried: { bytes: number }[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  readonly #port: number;

  /** @param target - the port of the node behind it. */
  constructor(port: number, target: number) {
    this.#port = port;
    this.#server = createServer((near) => this.#join(near, connect(target, '127.0.0.1')));
  }

  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject).listen(this.#port, '127.0.0.1', resolve);
    });
  }

  #join(near: Socket, far: Socket): void {
    const connection = { bytes: 0 };
    this.#carried.push(connection);
    near.on('data', ({ byteLength }) => {
      connection.bytes += byteLength;
    });
    near.pipe(far).pipe(near);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined); // Followed by `close`.
      socket.once('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
  }

  /** Bytes passed on to the node so far, by connection; the small ones left out. */
  carried(bytesMin: number): readonly number[] {
    return this.#carried.map(({ bytes }) => bytes).filter((bytes) => bytes >= bytesMin);
  }

  get bytes(): number {
    return this.#carried.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Breaks every connection at once, and throws away what was on its way. New ones may be made. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }
}

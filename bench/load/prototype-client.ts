import { once } from 'node:events';
import { WebSocket } from 'ws';
import { benchCommand } from '../embedded/bench-machine.ts';
import { clientSockets, requestHeaderBytes } from '../prototype/client-frames.ts';
import type { Client, Done } from './client.ts';
import type { LoadOptions } from './load-process.ts';

/** Clients of the prototype: the requests of one event-loop turn go out in one message for each of 16 sockets. */
export async function prototypeClient({ urls: [url = ''], bytes }: LoadOptions): Promise<Client> {
  const sockets = await Promise.all(Array.from({ length: clientSockets }, () => ClientSocket.open(url)));
  const of = (caller: number): ClientSocket => sockets[caller % clientSockets] as ClientSocket;
  return {
    write: (key, done, caller) => of(caller).write(benchCommand(key, bytes - 4), done),
    read: (key, _, done, caller) => of(caller).read(key, done),
    close: () => {
      for (const socket of sockets) socket.close();
    },
  };
}

class ClientSocket {
  readonly #socket: WebSocket;
  #commands: Uint8Array[] = [];
  #commandBytes = 0;
  #keys: number[] = [];
  #isScheduled = false;
  /** Who waits for an answer, in the order in which they were sent. */
  readonly #reads = new DoneQueue();
  readonly #writes = new DoneQueue();

  static async open(url: string): Promise<ClientSocket> {
    const socket = new WebSocket(`${url}/client`, {
      perMessageDeflate: false,
      allowSynchronousEvents: true,
      generateMask: (mask) => void mask.fill(0),
    });
    await once(socket, 'open');
    return new ClientSocket(socket);
  }

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (answer: Buffer) => {
      this.#reads.answer(answer.readUInt32BE(0));
      this.#writes.answer(answer.readUInt32BE(4));
    });
  }

  write(command: Uint8Array, done: Done): void {
    this.#commands.push(command);
    this.#commandBytes += 4 + command.byteLength;
    this.#writes.add(done);
    this.#schedule();
  }

  read(key: number, done: Done): void {
    this.#keys.push(key);
    this.#reads.add(done);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#endTurn());
  }

  #endTurn(): void {
    this.#isScheduled = false;
    const message = Buffer.allocUnsafe(requestHeaderBytes + 4 * this.#keys.length + this.#commandBytes);
    let at = message.writeUInt32BE(this.#keys.length, 0);
    at = message.writeUInt32BE(this.#commands.length, at);
    for (const key of this.#keys) at = message.writeUInt32BE(key, at);
    for (const command of this.#commands) {
      at = message.writeUInt32BE(command.byteLength, at);
      message.set(command, at);
      at += command.byteLength;
    }
    this.#keys = [];
    this.#commands = [];
    this.#commandBytes = 0;
    this.#socket.send(message);
  }

  close(): void {
    this.#socket.close();
  }
}

/** Those who wait, first come first served, without moving the rest of a long queue each time. */
class DoneQueue {
  #dones: Done[] = [];
  #at = 0;

  add(done: Done): void {
    this.#dones.push(done);
  }

  answer(count: number): void {
    for (let left = count; left > 0; left--) {
      (this.#dones[this.#at] as Done)(true);
      this.#at += 1;
    }
    if (this.#at < 1_000 || this.#at < this.#dones.length / 2) return;
    this.#dones = this.#dones.slice(this.#at);
    this.#at = 0;
  }
}

import { describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { ClientFlow } from '../../../src/transport/client-flow.ts';

/** A WebSocket whose other end reads what the test says. */
class HeldSocket {
  bufferedAmount = 0;
  isPaused = false;
  isCut = false;
  readonly #callbacks: ((() => void) | undefined)[] = [];

  send(message: Uint8Array, sent?: () => void): void {
    this.bufferedAmount += message.byteLength;
    this.#callbacks.push(sent);
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  terminate(): void {
    this.isCut = true;
  }

  /** The other end has read so many bytes, and with them the oldest message. */
  read(bytes: number): void {
    this.bufferedAmount -= bytes;
    this.#callbacks.shift()?.();
  }
}

/** 100 bytes may wait; beyond 300 the client is cut off. */
function flow() {
  const socket = new HeldSocket();
  let rooms = 0;
  const limits = { bufferedBytesMax: 100, bufferedBytesCut: 300 };
  const controlled = new ClientFlow(socket as unknown as WebSocket, limits, () => {
    rooms += 1;
  });
  const send = (bytes: number) => {
    controlled.send(new Uint8Array(bytes));
    controlled.check();
  };
  return { socket, controlled, send, rooms: () => rooms };
}

describe('a client', () => {
  it('has room as long as no more waits for it, sent or not, than may', () => {
    const { controlled, send } = flow();
    send(60);

    expect([controlled.hasRoom(40), controlled.hasRoom(41)]).toEqual([true, false]);
  });

  it('that is behind is not read from until it has read half of what may wait', () => {
    const { socket, send, rooms } = flow();
    send(60);
    send(41);
    expect(socket.isPaused).toBe(true);

    socket.read(50);
    expect([socket.isPaused, rooms()]).toEqual([true, 0]);
    socket.read(1);

    expect([socket.isPaused, rooms()]).toEqual([false, 1]);
  });

  it('that is read from hears of room as well', () => {
    const { socket, send, rooms } = flow();
    send(100);
    expect(socket.isPaused).toBe(false);

    socket.read(50);

    expect(rooms()).toBe(1);
  });

  it('costs no callback while little waits', () => {
    const { socket, send, rooms } = flow();
    send(50);

    socket.read(50);

    expect(rooms()).toBe(0);
  });

  it('that lets answers pile up is cut off', () => {
    const { socket, send } = flow();
    send(150);
    send(150);
    expect(socket.isCut).toBe(false);

    send(1);

    expect(socket.isCut).toBe(true);
  });

  it('is not cut off for one answer, whatever its size', () => {
    const { socket, controlled, send } = flow();
    controlled.allow(1_000);
    controlled.allow(10);
    send(1_300);
    expect(socket.isCut).toBe(false);

    send(1);

    expect(socket.isCut).toBe(true);
  });
});

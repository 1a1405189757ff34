import type { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { ClientLiveness } from '../../../src/transport/client-liveness.ts';

/** A client whose bytes are the test's own. */
function watched() {
  const handle = { bytesWritten: 0, writeQueueSize: 0 };
  const tcp = { bytesRead: 0, _handle: handle };
  return { tcp, handle, liveness: new ClientLiveness(tcp as unknown as Duplex) };
}

/** As many pings in vain as a client may leave without an answer. */
function pingInVain(liveness: ClientLiveness): void {
  for (let ping = 1; ping <= 3; ping++) expect(liveness.countPing()).toBe(true);
}

describe('a client that leaves three pings without an answer', () => {
  it('counts as gone', () => {
    const { liveness } = watched();
    pingInVain(liveness);

    expect(liveness.countPing()).toBe(false);
  });

  it.each(['onMessage', 'onPong'] as const)('is there all the same with %s after them', (word) => {
    const { liveness } = watched();
    pingInVain(liveness);

    liveness[word]();

    pingInVain(liveness);
    expect(liveness.countPing()).toBe(false);
  });

  it('is there while a long message arrives from it', () => {
    const { liveness, tcp } = watched();
    pingInVain(liveness);

    tcp.bytesRead += 16_384;

    pingInVain(liveness);
    expect(liveness.countPing()).toBe(false);
  });

  it('is there while it takes what waits for it', () => {
    const { liveness, handle } = watched();
    Object.assign(handle, { bytesWritten: 100_000, writeQueueSize: 100_000 });
    pingInVain(liveness);

    handle.writeQueueSize -= 16_384;

    pingInVain(liveness);
    expect(liveness.countPing()).toBe(false);
  });

  it('is gone although less than that moves', () => {
    const { liveness, tcp } = watched();
    pingInVain(liveness);

    tcp.bytesRead += 16_383;

    expect(liveness.countPing()).toBe(false);
  });
});

describe('a message is arriving', () => {
  it('where bytes have come since the last look, and no message', () => {
    const { liveness, tcp } = watched();

    tcp.bytesRead += 1;

    expect(liveness.isReceiving()).toBe(true);
    expect(liveness.isReceiving()).toBe(false); // No more have come.
  });

  it('is not said of bytes that ended one', () => {
    const { liveness, tcp } = watched();

    tcp.bytesRead += 100;
    liveness.onMessage();

    expect(liveness.isReceiving()).toBe(false);
    tcp.bytesRead += 1; // Of the next one.
    expect(liveness.isReceiving()).toBe(true);
  });

  it('is not taken back by the pong of a WebSocket, which may come in between', () => {
    const { liveness, tcp } = watched();

    tcp.bytesRead += 100;
    liveness.onPong();

    expect(liveness.isReceiving()).toBe(true);
  });
});

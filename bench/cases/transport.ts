import { crc32 } from 'node:zlib';
import { encodePayload, type Message } from 'rxraft/core';
import { type Hello, type PeerFrame, protocolVersion, type WsTransport, wsTransport } from 'rxraft/transport';
import { until } from '../harness/until.ts';
import type { BenchCase } from '../suite/bench-case.ts';
import { latencyRow } from '../suite/rate.ts';

const framesAtOnce = 1_000;
const framesATurn = 100;
const patienceMs = 5_000;
const farPeer = { id: 'n2', storeId: 'store-n2' };

/** The WebSocket transport alone: two of them in one process, which both have to do with. */
export const transportCase: BenchCase = {
  title: 'Transport: WebSocket frames a second, both ends in one process',
  isDefault: true,
  async run(options, findings) {
    const [near, far] = await Promise.all([open('n1'), open('n2')]);
    const stop = answer(far);
    near.setPeers([{ id: 'n2', url: urlOf(far) }]);
    far.setPeers([{ id: 'n1', url: urlOf(near) }]);
    await until('both are connected', () =>
      [near, far].every((each) => each.links()[0]?.isOutgoingOpen === true),
    );
    for (const bytes of [0, 128, 16_384]) {
      findings.progress(`round trips, ${bytes} bytes`);
      const about = { system: 'rxraft', bytes };
      const frame = frameOf(bytes);
      findings.row(
        await latencyRow(options, { ...about, case: 'round trip', outstanding: 1 }, () =>
          roundTripOf(near, frame),
        ),
      );
    }
    stop();
    for (const bytes of [0, 128, 16_384]) {
      findings.progress(`one way, ${bytes} bytes`);
      const about = { system: 'rxraft', bytes, outstanding: framesATurn };
      const frame = frameOf(bytes);
      const row = await latencyRow(options, { ...about, case: 'one way' }, () => flood(near, far, frame));
      findings.row({ ...row, p50Ms: null, p99Ms: null });
    }
    await Promise.all([near.close(), far.close()]);
  },
};

async function open(id: string): Promise<WsTransport> {
  const transport = wsTransport({ listen: { port: 0 } });
  const hello: Hello = {
    ...{ protocolVersion, clusterId: 'bench', id, storeId: `store-${id}`, bootCounter: 1, members: [] },
  };
  await transport.open({ hello: () => hello, admit: () => null });
  return transport;
}

function urlOf({ port }: WsTransport): string {
  return `ws://127.0.0.1:${port}`;
}

/** Sends back whatever arrives, until it is told to stop. */
function answer(transport: WsTransport): () => void {
  const subscription = transport.event$.subscribe((event) => {
    if (event.type === 'frame') transport.send(event.from, event.frame);
  });
  return () => subscription.unsubscribe();
}

/** Sends a frame, and waits until it has come back. */
async function roundTripOf(transport: WsTransport, frame: PeerFrame): Promise<number> {
  const heard = hear(transport, 1);
  transport.send(farPeer, frame);
  return heard;
}

/** Sends many frames, some a turn of the event loop, and waits until all have arrived. */
async function flood(from: WsTransport, to: WsTransport, frame: PeerFrame): Promise<number> {
  const heard = hear(to, framesAtOnce);
  for (let sent = 0; sent < framesAtOnce; ) {
    const isTaken = from.send(farPeer, frame);
    if (isTaken) sent += 1;
    if (!isTaken || sent % framesATurn === 0) await new Promise(setImmediate); // Full, or the end of the turn.
  }
  return heard;
}

/** How many frames arrived, once all have, or after a while: a transport may lose some. */
function hear(transport: WsTransport, count: number): Promise<number> {
  return new Promise((resolve) => {
    let heard = 0;
    const end = (): void => {
      clearTimeout(timer);
      subscription.unsubscribe();
      resolve(heard);
    };
    const timer = setTimeout(end, patienceMs);
    const subscription = transport.event$.subscribe(({ type }) => {
      if (type !== 'frame') return;
      heard += 1;
      if (heard === count) end();
    });
  });
}

/** AppendEntries with one entry of so many bytes; with none, the answer to it: of news of a leader only the last is sent. */
function frameOf(bytes: number): PeerFrame {
  return {
    type: 'raft',
    group: 0,
    message: (bytes === 0 ? answerMessage : appendOf(bytes)) as unknown as Message,
  };
}

const answerMessage = {
  ...{ type: 'appendEntriesReply', term: 1, success: true, matchIndex: 1, round: 0 },
  ...{ rejectedIndex: 0, hintIndex: 0, hintTerm: 0 },
};

function appendOf(bytes: number): object {
  const payload = encodePayload([new Uint8Array(bytes)]);
  const position = { index: 1, term: 1, logTimeMs: 0, group: 0, count: 1 };
  const batch = { ...position, kind: 'command', payload, payloadChecksum: crc32(payload) };
  const numbers = { term: 1, prevLogIndex: 0, prevLogTerm: 0, leaderCommit: 0, round: 0, isReplyDue: true };
  return { type: 'appendEntries', ...numbers, batches: [batch] };
}

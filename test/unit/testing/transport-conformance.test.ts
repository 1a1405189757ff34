import { setImmediate as turn } from 'node:timers/promises'; // Never that of the test.
import { Observable } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { transportConformance } from '../../../src/testing/transport-conformance.ts';
import { memoryNetwork } from '../../../src/transport/memory-network.ts';
import type { LinkStatus, PeerFrame, Transport, TransportEvent } from '../../../src/transport/transport.ts';

/** How a sound transport becomes another one. */
type Breaking = (sound: Transport) => Partial<Transport>;

/** Does with each event what it likes: to pass it on is `emit`. */
function through(
  { event$ }: Transport,
  onEvent: (event: TransportEvent, emit: (event: TransportEvent) => void) => void,
): Pick<Transport, 'event$'> {
  return {
    event$: new Observable((subscriber) =>
      event$.subscribe({
        next: (event) => onEvent(event, (one) => subscriber.next(one)),
        complete: () => subscriber.complete(),
      }),
    ),
  };
}

/** The names of the cases that a transport broken in this way fails. Time is that of the test. */
async function failuresOf(breaking: Breaking): Promise<readonly string[]> {
  const runs = transportConformance.map(async ({ name, run }) => {
    const network = memoryNetwork({ seed: 1, backoffMsMin: 5, backoffMsMax: 50 });
    const urls = new Map<Transport, string>();
    const make = (): Transport => {
      const url = `ws://node-${urls.size}:7101`;
      const sound = network.transport(url);
      const whole: Transport = {
        event$: sound.event$,
        open: (identity) => sound.open(identity),
        setPeers: (peers) => sound.setPeers(peers),
        send: (to, frame) => sound.send(to, frame),
        hangUp: (id, reason) => sound.hangUp(id, reason),
        links: () => sound.links(),
        close: () => sound.close(),
      };
      const broken = { ...whole, ...breaking(sound) };
      urls.set(broken, url);
      return broken;
    };
    try {
      await run({ make, urlOf: (transport) => urls.get(transport) as string });
      return [];
    } catch {
      return [name];
    }
  });
  const failures = Promise.all(runs);
  await passTime(60_000, failures); // More than a case ever waits.
  return (await failures).flat();
}

/**
 * Lets so much of the time of the test pass, or as much as `all` takes. Between any two timers, the promises of
 * the first settle: in a turn of the event loop, where `advanceTimersByTimeAsync` waits for a millisecond, twenty
 * seconds of it in this file.
 */
async function passTime(ms: number, all: Promise<unknown>): Promise<void> {
  let haveEnded = false;
  const end = () => {
    haveEnded = true;
  };
  void all.then(end);
  const until = Date.now() + ms;
  while (!haveEnded && Date.now() < until) {
    vi.advanceTimersToNextTimer();
    await turn();
  }
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('the conformance suite of transports', () => {
  it('passes a sound one', async () => {
    expect(await failuresOf(() => ({}))).toEqual([]);
  });

  it('catches one that delivers each frame once more, later', async () => {
    const failures = await failuresOf((sound) =>
      through(sound, (event, emit) => {
        emit(event);
        if (event.type === 'frame') setTimeout(() => emit(event), 20);
      }),
    );

    expect(failures).toContain('delivers frames in the order sent, with who sent them');
  });

  it("catches one whose frames have the receiver's own boot counter", async () => {
    const failures = await failuresOf((sound) => {
      let own = 0;
      return {
        open: (identity) => {
          own = identity.hello().bootCounter;
          return sound.open(identity);
        },
        ...through(sound, (event, emit) =>
          emit(event.type === 'frame' ? { ...event, bootCounter: own } : event),
        ),
      };
    });

    expect(failures).toContain('delivers frames in the order sent, with who sent them');
  });

  it('catches one that cuts pieces of snapshots', async () => {
    const failures = await failuresOf((sound) =>
      through(sound, (event, emit) => {
        const isPiece = event.type === 'frame' && event.frame.type === 'snapshotChunk';
        if (!isPiece) return emit(event);
        const { frame } = event as typeof event & { frame: { bytes: Uint8Array } };
        emit({ ...event, frame: { ...frame, bytes: frame.bytes.slice(0, 10) } as typeof event.frame });
      }),
    );

    expect(failures).toEqual([
      'carries every type of frame there and back as it is, each once',
      'takes pieces of a snapshot while there is room, and delivers every one it took',
    ]);
  });

  it('catches one that takes any number of pieces of snapshots', async () => {
    const failures = await failuresOf((sound) => ({
      send: (to, frame) => sound.send(to, frame) || frame.type === 'snapshotChunk',
    }));

    expect(failures).toEqual([
      'takes pieces of a snapshot while there is room, and delivers every one it took',
    ]);
  });

  for (const lost of ['raft', 'forward', 'forwardReply', 'found', 'snapshotOffer', 'snapshotAck']) {
    it(`catches one that loses every ${lost} frame`, async () => {
      const failures = await failuresOf((sound) => ({
        send: (to, frame) => frame.type === lost || sound.send(to, frame),
      }));

      expect(failures).toEqual(['carries every type of frame there and back as it is, each once']);
    });
  }

  it('catches one that makes objects of bytes', async () => {
    const asText = (frame: PeerFrame) => JSON.parse(JSON.stringify(frame)) as PeerFrame;
    const failures = await failuresOf((sound) => ({
      send: (to, frame) => sound.send(to, frame.type === 'forward' ? asText(frame) : frame),
    }));

    expect(failures).toEqual(['carries every type of frame there and back as it is, each once']);
  });

  it('catches one that sends everything again on the next connection', async () => {
    const failures = await failuresOf((sound) => {
      const sent: Parameters<Transport['send']>[] = [];
      return {
        send: (to, frame) => {
          sent.push([to, frame]);
          return sound.send(to, frame);
        },
        ...through(sound, (event, emit) => {
          emit(event);
          if (event.type === 'up' && event.direction === 'outgoing')
            for (const [to, frame] of sent) sound.send(to, frame);
        }),
      };
    });

    expect(failures).toEqual([
      'asks for the hello anew for each connection, and says its boot counter of each frame',
      'sends nothing of before again on the connection after one that was cut',
      'drops what has not left when the connection closes',
      'brings nothing of its run before to a node that was started again',
      'delivers nothing after a hang-up, from inside the event too',
    ]);
  });

  it.each([true, false])(
    'catches one that keeps frames while nothing is open, and says of them that they were taken: %s',
    async (isTaken) => {
      const failures = await failuresOf((sound) => {
        const stores = new Set<string>();
        const kept: Parameters<Transport['send']>[] = [];
        return {
          send: (to, frame) => {
            if (sound.send(to, frame)) return true;
            const link = sound.links().find(({ id }) => id === to.id);
            if (link === undefined || link.isOutgoingOpen || !stores.has(to.storeId)) return false;
            kept.push([to, frame]);
            return isTaken;
          },
          ...through(sound, (event, emit) => {
            emit(event);
            if (event.type !== 'up' || event.direction !== 'outgoing') return;
            stores.add(event.hello.storeId);
            for (const [to, frame] of kept.splice(0)) sound.send(to, frame);
          }),
        };
      });

      expect(failures).toEqual([
        'sends nothing of before again on the connection after one that was cut',
        'brings nothing of its run before to a node that was started again',
      ]);
    },
  );

  it('catches one that says of frames that they were taken while nothing is open, and loses them', async () => {
    const failures = await failuresOf((sound) => {
      const stores = new Set<string>();
      return {
        send: (to, frame) => sound.send(to, frame) || stores.has(to.storeId),
        ...through(sound, (event, emit) => {
          if (event.type === 'up') stores.add(event.hello.storeId);
          emit(event);
        }),
      };
    });

    expect(failures).toContain('sends nothing of before again on the connection after one that was cut');
    expect(failures).toContain('brings nothing of its run before to a node that was started again');
  });

  it('catches one that sends on the next connection what had not left on the one before', async () => {
    const failures = await failuresOf((sound) => {
      let waiting: Parameters<Transport['send']>[] = [];
      const flush = () => {
        waiting = waiting.filter(([to, frame]) => !sound.send(to, frame));
      };
      return {
        send: (to, frame) => {
          const link = sound.links().find(({ id }) => id === to.id);
          if (frame.type !== 'foundAck' || link?.isOutgoingOpen !== true) return sound.send(to, frame);
          if (to.storeId !== `store-${to.id}`) return false;
          waiting.push([to, frame]);
          setTimeout(flush);
          return true;
        },
        ...through(sound, (event, emit) => {
          emit(event);
          if (event.type === 'up' && event.direction === 'outgoing') flush();
        }),
      };
    });

    expect(failures).toEqual(['drops what has not left when the connection closes']);
  });

  it('catches one whose frames have the boot counter of the first hello for ever', async () => {
    const failures = await failuresOf((sound) => {
      const first = new Map<string, number>();
      return through(sound, (event, emit) => {
        if (event.type === 'up' && !first.has(event.hello.id))
          first.set(event.hello.id, event.hello.bootCounter);
        if (event.type !== 'frame') return emit(event);
        emit({ ...event, bootCounter: first.get(event.from.id) ?? event.bootCounter });
      });
    });

    expect(failures).toEqual([
      'asks for the hello anew for each connection, and says its boot counter of each frame',
      'brings nothing of its run before to a node that was started again',
    ]);
  });

  it.each([0, 20])('catches one that delivers a frame again after down, %i ms later', async (laterMs) => {
    const failures = await failuresOf((sound) => {
      let last: TransportEvent | null = null;
      return through(sound, (event, emit) => {
        emit(event);
        if (event.type === 'frame') last = event;
        const again = last;
        if (event.type !== 'down' || again === null) return;
        if (laterMs === 0) emit(again);
        else setTimeout(() => emit(again), laterMs);
      });
    });

    expect(failures).toContain('delivers nothing of a peer once it has said down');
  });

  describe('with something wrong in send', () => {
    const claim = 'emits no event from inside send, whatever becomes of the frame';

    it('catches one that says of a frame which it drops that the peer is down', async () => {
      const failures = await failuresOf((sound) => {
        let emitDown: (id: string) => void = () => undefined;
        const { event$ } = through(sound, (event, emit) => {
          emitDown = (id) => emit({ type: 'down', id });
          emit(event);
        });
        return {
          event$,
          send: (to, frame) => {
            const isTaken = sound.send(to, frame);
            if (!isTaken) emitDown(to.id);
            return isTaken;
          },
        };
      });

      expect(failures).toContain(claim);
    });

    it('catches one that delivers what has arrived meanwhile', async () => {
      const failures = await failuresOf((sound) => {
        const waiting: (() => void)[] = [];
        const deliver = () => {
          for (const one of waiting.splice(0)) one();
        };
        return {
          send: (to, frame) => {
            deliver();
            return sound.send(to, frame);
          },
          ...through(sound, (event, emit) => {
            if (event.type !== 'frame') return emit(event);
            waiting.push(() => emit(event));
            setTimeout(deliver, 2);
          }),
        };
      });

      expect(failures).toContain(claim);
    });
  });

  describe('with something wrong in what it says of a link', () => {
    const saying = (wrong: (link: LinkStatus) => Partial<LinkStatus>): Breaking => {
      return (sound) => ({ links: () => sound.links().map((link) => ({ ...link, ...wrong(link) })) });
    };
    const fresh = 'says of a new link that nothing was measured and nothing waits';
    const measured = 'says milliseconds of a round trip once it has measured one';
    const waiting = 'counts the bytes that wait, and none once all has left';
    const dropped = 'counts no bytes that were dropped with their connection';

    it.each([
      ['0 before the first measurement', ({ rttMs }: LinkStatus) => rttMs ?? 0, [fresh]],
      ['no number', () => Number.NaN, [fresh, measured]],
      ['a negative one', ({ rttMs }: LinkStatus) => rttMs && -rttMs, [measured]],
      ['the time of the answer', ({ rttMs }: LinkStatus) => rttMs && Date.now(), [measured]],
      ['nothing', () => undefined as never, [fresh, measured]],
    ])('catches one whose rttMs is %s', async (_what, rttMs, claims) => {
      expect(await failuresOf(saying((link) => ({ rttMs: rttMs(link) })))).toEqual(claims);
    });

    it.each([
      ['no number', Number.NaN],
      ['a negative one', -1],
      ['always the same', 1000],
      ['more than was taken', 2 ** 40],
    ])('catches one whose bufferedBytes is %s', async (_what, bufferedBytes) => {
      const failures = await failuresOf(saying(() => ({ bufferedBytes })));

      expect(failures).toEqual([fresh, waiting, dropped]);
    });

    /** Counts the bytes of what is sent, and takes all off again at such an event. */
    const counting =
      (
        isCounted: (isTaken: boolean) => boolean,
        isEnd: (event: TransportEvent) => boolean = () => false,
      ): Breaking =>
      (sound) => {
        let count = 0;
        return {
          send: (to, frame) => {
            const isTaken = sound.send(to, frame);
            if (isCounted(isTaken)) count += frame.type === 'snapshotChunk' ? frame.bytes.byteLength : 10;
            return isTaken;
          },
          links: () => sound.links().map((link) => ({ ...link, bufferedBytes: count })),
          ...through(sound, (event, emit) => {
            if (isEnd(event)) count = 0;
            emit(event);
          }),
        };
      };

    it('catches one that counts what it has not taken', async () => {
      const failures = await failuresOf(
        counting(
          (isTaken) => !isTaken,
          ({ type }) => type === 'outgoingDown',
        ),
      );

      expect(failures).toEqual([fresh, waiting]);
    });

    it('catches one that never takes off what has left', async () => {
      const failures = await failuresOf(
        counting(
          (isTaken) => isTaken,
          ({ type }) => type === 'outgoingDown',
        ),
      );

      expect(failures).toEqual([waiting]);
    });

    it('catches one that keeps on counting what was dropped with a connection', async () => {
      expect(await failuresOf(counting((isTaken) => isTaken))).toEqual([waiting, dropped]);
    });
  });
});

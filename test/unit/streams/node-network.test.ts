import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Configuration, State } from '../../../src/core/index.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import type { Founding } from '../../../src/storage/storage.ts';
import { NodeNetwork } from '../../../src/streams/node-network.ts';
import { settingsOf } from '../../../src/streams/options.ts';
import { checkUrl } from '../../../src/transport/peer-url.ts';
import {
  type Hello,
  type LinkStatus,
  type MemberAddress,
  protocolVersion,
  type TransportIdentity,
} from '../../../src/transport/transport.ts';
import { n1, n2, n3, n4, node as stateOf, threeNodes, votersOf } from '../core/builders.ts';
import { ScriptedPeers } from './scripted-peers.ts';
import { wordsMachine } from './words.ts';

/** Peers of whom it matters only who is dialed. */
class NotedPeers extends ScriptedPeers {
  members: readonly MemberAddress[] = [];
  /** How often all connections were given up. */
  hangUps = 0;
  identity: TransportIdentity | null = null;

  override async open(identity?: TransportIdentity): Promise<void> {
    this.identity = identity ?? null;
  }

  /** Whom it can send to. */
  opened: readonly string[] = [];

  override links(): readonly LinkStatus[] {
    const none = { isIncomingOpen: false, rttMs: null, bufferedBytes: 0, droppedFrames: 0 };
    return this.members.map((member) => ({
      ...member,
      ...none,
      isOutgoingOpen: this.opened.includes(member.id),
    }));
  }

  override setPeers(members: readonly MemberAddress[] = []): void {
    if (members.some(({ url }) => url === 'bad')) throw new Error('bad is no URL');
    members.filter(({ url }) => url.includes('#')).forEach(checkUrl);
    if (members.length === 0) this.hangUps += 1;
    this.members = members;
  }
}

/** The network of n1, which goes by the configuration that the test sets. */
function networkOf(founding: Founding | null = null) {
  const transport = new NotedPeers();
  const errors: string[] = [];
  const none = () => {};
  const logger = {
    debug: none,
    info: none,
    warn: none,
    error: (_: object, text: string) => errors.push(text),
  };
  let state: State = stateOf();
  const timeScheduler = new VirtualTimeScheduler();
  const machine = wordsMachine();
  const storage = memoryStorage();
  const network = new NodeNetwork({
    transport,
    settings: settingsOf({ id: 'n1', machine, storage, transport, logger, timeScheduler }),
    self: n1,
    bootCounter: 1,
    founding: () => founding,
    state: () => state,
  });
  const goBy = (configuration: Configuration) => {
    state = stateOf({ configuration });
    network.dialMembers([configuration]);
  };
  const dialed = () => transport.members.map(({ id }) => id).sort();
  const urlOf = (id: string) => transport.members.find((member) => member.id === id)?.url;
  const pass = (ms: number) => {
    timeScheduler.frame += ms;
    network.onTick();
  };
  return { network, goBy, pass, dialed, urlOf, transport, errors };
}

function hello(id: string, members: readonly MemberAddress[]): Hello {
  return { protocolVersion, clusterId: 'c', id, storeId: id, bootCounter: 1, members };
}

const n4Only = [{ id: 'n4', url: 'ws://n4' }];

describe('a node that is dialed by a member it does not know', () => {
  it('dials it in return, as long as it is there', () => {
    const { network, dialed } = networkOf();

    network.onUp(hello('n4', n4Only));
    const during = dialed();
    network.onDown('n4');

    expect([during, dialed()]).toEqual([
      ['n2', 'n3', 'n4'],
      ['n2', 'n3'],
    ]);
  });

  it('still knows it once the entry that listed it has been truncated', () => {
    const { network, goBy, dialed } = networkOf();
    network.onUp(hello('n4', n4Only));

    goBy(votersOf(n1, n2, n3, n4));
    goBy(threeNodes);

    expect(dialed()).toEqual(['n2', 'n3', 'n4']);
  });

  it('dials it where it is, if it only knows the store that had its name before (rule 9)', () => {
    const { network, urlOf } = networkOf();

    network.onUp({ ...hello('n2', [{ id: 'n2', url: 'ws://elsewhere' }]), storeId: 'new' });

    expect(urlOf('n2')).toBe('ws://elsewhere');
  });

  it('stays with the store that is listed while that is reached, unless it would follow the other one', () => {
    const { network, urlOf, goBy, transport } = networkOf();
    goBy(threeNodes);
    transport.opened = ['n2'];
    network.onUp({ ...hello('n2', []), storeId: n2.storeId }, 'outgoing');
    network.onUp({ ...hello('n2', [{ id: 'n2', url: 'ws://elsewhere' }]), storeId: 'new' });
    const listed = urlOf('n2');

    network.favor({ id: 'n2', storeId: 'new' });

    expect([listed, urlOf('n2')]).toEqual(['', 'ws://elsewhere']);
  });

  it('hears one that is being replaced until that is committed and told, then dials the one that takes its place', () => {
    const { network, urlOf, pass, transport } = networkOf();
    const taker = { id: 'n2', storeId: 'new', url: 'ws://elsewhere' };
    const taken = { ...votersOf(n1, n3), learners: [taker] };
    network.dialMembers([threeNodes]);
    transport.opened = ['n2'];
    network.onUp({ ...hello('n2', []), storeId: n2.storeId }, 'outgoing');

    network.dialMembers([threeNodes, taken]);
    const during = urlOf('n2');
    network.dialMembers([taken]);
    pass(499);
    const told = urlOf('n2');
    pass(1);

    expect([during, told, urlOf('n2')]).toEqual(['', '', 'ws://elsewhere']);
  });

  it('introduces itself anew once it knows where it is, for those who do not list it', async () => {
    const { network, goBy, dialed, transport } = networkOf();
    await network.open();
    goBy(votersOf(n2, n3));
    const before = transport.identity?.hello().members.map(({ id }) => id);

    for (let times = 0; times < 2; times++) goBy(threeNodes);

    expect([before, transport.hangUps, dialed()]).toEqual([['n2', 'n3'], 1, ['n2', 'n3']]);
  });

  it('goes on dialing its own members where it was told an address that can not be dialed', () => {
    const { network, goBy, dialed } = networkOf();
    network.onUp(hello('n4', [{ id: 'n4', url: 'bad' }]));

    goBy(votersOf(n1, n3));

    expect(dialed()).toEqual(['n3']);
  });
});

describe('a node whose peer is no member any more', () => {
  it('stays connected with it for a while, since answers may be on their way', () => {
    const { goBy, pass, dialed } = networkOf();
    goBy(threeNodes);

    goBy(votersOf(n1, n2));
    pass(499);
    const during = dialed();
    pass(1);

    expect([during, dialed()]).toEqual([['n2', 'n3'], ['n2']]);
  });

  it('stays connected with each for its own time', () => {
    const { goBy, pass, dialed } = networkOf();
    goBy(threeNodes);

    goBy(votersOf(n1, n2));
    pass(300);
    goBy(votersOf(n1));
    const both = dialed();
    pass(200);

    expect([both, dialed()]).toEqual([['n2', 'n3'], ['n2']]);
  });

  it('does not take itself for one: it would dial all anew, to tell where it is', async () => {
    const { network, goBy, transport } = networkOf();
    await network.open();
    goBy(threeNodes);

    goBy(votersOf(n2, n3));
    transport.identity?.hello();
    network.onUp(hello('n2', []), 'outgoing');

    expect(transport.hangUps).toBe(0);
  });

  it('dials it anew if it is added again meanwhile, since it introduces itself once', async () => {
    const { network, goBy, transport } = networkOf();
    await network.open();
    goBy(threeNodes);
    goBy(votersOf(n1, n2));
    const dials: (readonly string[])[] = [];
    const setPeers = transport.setPeers.bind(transport);
    transport.setPeers = (members = []) => {
      dials.push(members.map(({ id }) => id));
      setPeers(members);
    };

    network.learnStore({ id: 'n3', url: '' });

    expect(dials).toEqual([['n2'], ['n3', 'n2']]);
  });
});

describe('a node that many dial whom it does not know', () => {
  /** It has let in so many of them, with the names s1, s2 and so on. */
  async function crowded(count: number) {
    const parts = networkOf();
    await parts.network.open();
    const admit = (introduced: Hello) => parts.transport.identity?.admit(introduced);
    for (let n = 1; n <= count; n++) {
      const introduced = hello(`s${n}`, [{ id: `s${n}`, url: `ws://s${n}` }]);
      if (admit(introduced) === null) parts.network.onUp(introduced);
    }
    return { ...parts, admit };
  }

  it('lets in as many as a configuration that it has missed could have, and tells the others why', async () => {
    const { admit, dialed } = await crowded(1000);

    expect(dialed()).toHaveLength(2 + 100);
    const refusal = admit(hello('s1001', []));
    expect(refusal).toMatchObject({ code: 'notAMember', reason: expect.stringMatching(/s1001.*100.*stop/) });
  });

  it('still lets in its members, and those of them that come again', async () => {
    const { admit } = await crowded(1000);

    expect(admit({ ...hello('n2', []), storeId: n2.storeId })).toBeNull();
    expect(admit(hello('s1', []))).toBeNull();
  });

  it('does not take a store that only has the name of a member for it (rule 9)', async () => {
    const { admit } = await crowded(1000);

    expect(admit({ ...hello('n2', []), storeId: 'new' })).toMatchObject({ code: 'notAMember' });
  });

  it('lets in another one once one has gone, or is a member', async () => {
    const { admit, network, goBy } = await crowded(1000);
    const [s101, s102] = [hello('s101', []), hello('s102', [])];

    network.onDown('s1');
    expect(admit(s101)).toBeNull();
    network.onUp(s101);
    expect(admit(s102)).not.toBeNull();
    goBy(votersOf(n1, n2, n3, { id: 's2', storeId: 's2' }));

    expect(admit(s102)).toBeNull();
  });

  it('forgets those who have gone, though it may be told of its own cluster by any of them', async () => {
    const { network, goBy, dialed } = await crowded(0);
    goBy(votersOf(n2, n3));

    for (let n = 1; n <= 300; n++) {
      network.onUp(hello(`s${n}`, [{ id: `s${n}`, url: `ws://s${n}` }]));
      network.onDown(`s${n}`);
    }

    expect(dialed().length).toBeLessThanOrEqual(2 + 200);
    expect(dialed()).toContain('s300');
  });
});

describe('an empty store under the name of a member', () => {
  /** A founded n1 that has met such a store; `come` is its next attempt. */
  async function met() {
    const parts = networkOf({ clusterId: 'c', configuration: threeNodes });
    const { network, transport } = parts;
    await network.open();
    const empty: Hello = { ...hello('n2', []), clusterId: null, storeId: 'empty' };
    const come = () => {
      const refusal = transport.identity?.admit(empty) ?? null;
      if (refusal !== null) network.onRefused({ type: 'refused', by: 'us', id: 'n2', refusal });
      return refusal?.code;
    };
    return { ...parts, come };
  }

  it('is a second process of that name while the member is connected, and the member is not wiped', async () => {
    const { network, come } = await met();
    network.onUp({ ...hello('n2', []), storeId: n2.storeId });

    expect([come(), come()]).toEqual(['nameInUse', 'nameInUse']);
    expect(network.wiped).toEqual([]);
    network.onDown('n2');

    expect(come()).toBe('wipedStore');
    expect(network.wiped).toMatchObject([{ id: 'n2' }]);
  });

  it('is not the store that the member has, once that has come back', async () => {
    const { network, come } = await met();

    expect(come()).toBe('wipedStore');
    network.onUp({ ...hello('n2', []), storeId: n2.storeId });

    expect(network.wiped).toEqual([]);
    expect(come()).toBe('nameInUse');
  });

  it('is forgotten when it has not come for a minute', async () => {
    const { network, come, pass } = await met();
    come();

    pass(59_999);
    expect(network.wiped).toHaveLength(1);
    pass(1);

    expect([network.wiped, network.refusals]).toEqual([[], []]);
  });
});

describe('a node that is to be added', () => {
  const url = 'ws://n4';

  /** The store that the network knows of at once; `null`: it goes on asking. */
  function learned({ network }: ReturnType<typeof networkOf>, address = { id: 'n4', url }): string | null {
    let known: string | null = null;
    const { storeId$, stop } = network.learnStore(address);
    storeId$.subscribe((storeId) => (known = storeId)).unsubscribe();
    stop();
    return known;
  }

  it('is asked for its store when it introduces itself, not before', async () => {
    const asking = networkOf();
    await asking.network.open();
    const known: string[] = [];
    asking.network.learnStore({ id: 'n4', url }).storeId$.subscribe((storeId) => known.push(storeId));
    const before = [...known];

    asking.transport.identity?.admit({ ...hello('n4', []), clusterId: null, storeId: 's4' }, url);

    expect([before, known]).toEqual([[], ['s4']]);
  });

  it('is not taken for a store of its name that is elsewhere, and answers if it dials and says where it is', async () => {
    const asking = networkOf();
    await asking.network.open();
    const known: string[] = [];
    asking.network.learnStore({ id: 'n4', url }).storeId$.subscribe((storeId) => known.push(storeId));
    const { identity } = asking.transport;

    identity?.admit({ ...hello('n4', []), storeId: 'removed' });
    identity?.admit({ ...hello('n4', n4Only), storeId: 'moved' }, 'ws://elsewhere');
    identity?.admit({ ...hello('n4', n4Only), clusterId: null, storeId: 's4' });

    expect(known).toEqual(['s4']);
  });

  it('is not asked again while it is connected and has told this address', () => {
    const asking = networkOf();
    asking.network.onUp({ ...hello('n4', n4Only), storeId: 's4' });
    const during = learned(asking);
    const elsewhere = learned(asking, { id: 'n4', url: 'ws://elsewhere' });

    asking.network.onDown('n4');

    expect([during, elsewhere, learned(asking)]).toEqual(['s4', null, null]);
  });

  it('is not asked if it is a member that is connected, where it is listed', () => {
    const asking = networkOf();
    const listed = { id: 'n2', url: '' };

    const before = learned(asking, listed);
    asking.network.onUp({ ...hello('n2', []), clusterId: null, storeId: n2.storeId });

    expect([before, learned(asking, listed)]).toEqual([null, n2.storeId]);
    expect(learned(asking, { id: 'n2', url: 'ws://elsewhere' })).toBeNull();
  });

  it('is asked if another store has come by its name since', async () => {
    const asking = networkOf();
    await asking.network.open();
    asking.network.onUp({ ...hello('n4', n4Only), storeId: 'old' });

    asking.transport.identity?.admit({ ...hello('n4', []), clusterId: null, storeId: 'new' });

    expect(learned(asking)).toBeNull();
  });

  it('is not asked if it is the one that asks, unless it is listed elsewhere', () => {
    const asking = networkOf();

    const own = learned(asking, { id: 'n1', url: '' });
    const elsewhere = learned(asking, { id: 'n1', url: 'ws://elsewhere' });
    asking.goBy(votersOf(n2, n3));

    expect([own, elsewhere, learned(asking, { id: 'n1', url })]).toEqual([n1.storeId, null, n1.storeId]);
  });
});

describe('a node whose configuration has an address that can not be dialed', () => {
  const wrong = { ...n4, url: 'ws://n4#x' };

  it('dials the others, and says so once', () => {
    const { goBy, dialed, errors } = networkOf();

    goBy({ ...votersOf(n1, n2), learners: [wrong] });
    goBy({ ...threeNodes, learners: [wrong] });

    expect(dialed()).toEqual(['n2', 'n3']);
    expect(errors).toEqual([expect.stringContaining('"ws://n4#x" can\'t be dialed')]);
  });

  it('dials a member where it is, if it was only told a wrong address of it', () => {
    const { network, urlOf } = networkOf();

    network.onUp({ ...hello('n2', [{ id: 'n2', url: 'ws://n2#x' }]), storeId: 'new' });

    expect(urlOf('n2')).toBe('');
  });
});

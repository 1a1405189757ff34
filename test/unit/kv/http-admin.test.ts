import { index, type NodeStatus, RaftError, term } from 'rxraft';
import { describe, expect, it } from 'vitest';
import { type AdminRequest, fakeServer, nodeStatus } from './builders.ts';

const url = (n: number): string => `ws://127.0.0.1:710${n}`;
const member = (n: number, role: 'voter' | 'learner' = 'voter') => ({
  id: `n${n}`,
  storeId: `s${n}`,
  url: url(n),
  role,
});
const threeAnd = (...more: NodeStatus['members'][number][]) => [...nodeStatus().members, ...more];
const busy = (): RaftError => new RaftError('RAFT_BUSY', 'Not now.', { outcome: 'notCommitted' });
const post = async ({ send }: Awaited<ReturnType<typeof fakeServer>>, path: string, body?: object) => {
  const response = await send('POST', path, body === undefined ? undefined : JSON.stringify(body));
  return { status: response.status, body: await response.json() };
};

describe('a change of members over HTTP', () => {
  const cases: [body: object, changes: object[]][] = [
    [{ add: { id: 'n4', url: url(4) } }, [{ type: 'add', id: 'n4', url: url(4), role: 'voter' }]],
    [
      { add: { id: 'n4', url: `${url(4)}/`, learner: true, storeId: 's4' } },
      [{ type: 'add', id: 'n4', url: url(4), role: 'learner', storeId: 's4' }],
    ],
    [{ remove: 'n1' }, [{ type: 'remove', id: 'n1' }]],
    [{ promote: 'n4' }, [{ type: 'promote', id: 'n4' }]],
    [{ demote: 'n1' }, [{ type: 'demote', id: 'n1' }]],
    [{ move: { id: 'n1', url: url(9) } }, [{ type: 'move', id: 'n1', url: url(9) }]],
    [
      { change: [{ remove: 'n1' }, { promote: 'n4' }] },
      [
        { type: 'remove', id: 'n1' },
        { type: 'promote', id: 'n4' },
      ],
    ],
  ];
  it.each(cases)('reaches the node: %o', async (body, changes) => {
    const server = await fakeServer();
    server.failWith(new RaftError('RAFT_NO_LEADER', 'nobody', { outcome: 'notCommitted' }));

    await server.send('POST', '/admin/members?timeoutMs=77', JSON.stringify({ ...body, expectedIndex: 5 }));

    expect(server.administered).toEqual([{ changes, options: { expectedIndex: 5, timeoutMs: 77 } }]);
  });

  it('answers with the members once this node knows of it, and with the role of a new one', async () => {
    const server = await fakeServer();
    server.onAdmin(() => {
      setTimeout(() => server.become({ members: threeAnd({ ...member(4, 'learner'), willVote: true }) }), 20);
      return undefined;
    });

    const answer = await post(server, '/admin/members', { add: { id: 'n4', url: url(4) } });

    expect(answer).toEqual({
      status: 200,
      body: {
        configurationIndex: 0,
        leaderId: 'n1',
        members: [
          ...[1, 2, 3].map((n) => ({ id: `n${n}`, url: url(n), role: 'voter' })),
          { id: 'n4', url: url(4), role: 'learner', willVote: true },
        ],
      },
    });
  });

  it('waits for another one that is under way', async () => {
    const server = await fakeServer();
    let asked = 0;
    server.onAdmin(() => {
      asked += 1;
      if (asked < 3) throw busy();
      return { members: threeAnd().slice(1) };
    });

    const { status, body } = await post(server, '/admin/members?timeoutMs=60000', { remove: 'n1' });

    expect([status, asked]).toEqual([200, 3]);
    expect(body).toMatchObject({ members: [{ id: 'n2' }, { id: 'n3' }] });
  });

  it('is a 409 if that takes too long', async () => {
    const server = await fakeServer();
    server.onAdmin(() => {
      throw busy();
    });

    const { status, body } = await post(server, '/admin/members?timeoutMs=120', { remove: 'n1' });

    expect(status).toBe(409);
    expect(body).toMatchObject({ error: { code: 'RAFT_BUSY', outcome: 'notCommitted' } });
  });

  it('whose answer was lost is looked up: the leader that is removed may not come to give one', async () => {
    const server = await fakeServer({ status: { commitIndex: index(9) } });
    server.onAdmin(() => {
      server.become({ members: threeAnd().slice(1) });
      throw new RaftError('RAFT_UNKNOWN_OUTCOME', 'The connection broke.', { outcome: 'unknown' });
    });

    const done = await post(server, '/admin/members', { remove: 'n1' });
    const undone = await post(server, '/admin/members', { promote: 'n4' });

    expect(done).toMatchObject({ status: 200, body: { members: [{ id: 'n2' }, { id: 'n3' }] } });
    expect(undone).toMatchObject({ status: 503, body: { error: { code: 'RAFT_UNKNOWN_OUTCOME' } } });
  });

  it('that adds a member again is fine if it is the same, with the same store', async () => {
    const server = await fakeServer({ status: { members: threeAnd(member(4)) } });
    server.onAdmin(() => {
      throw new RaftError('RAFT_BAD_REQUEST', 'n4 is a member already', { outcome: 'notCommitted' });
    });
    const add = (more: object) => post(server, '/admin/members', { add: { id: 'n4', url: url(4), ...more } });

    expect((await add({ storeId: 's4' })).status).toBe(200);
    for (const more of [{}, { storeId: 'another' }, { storeId: 's4', url: url(9) }]) {
      expect(await add(more)).toMatchObject({ status: 400, body: { error: { code: 'RAFT_BAD_REQUEST' } } });
    }
  });

  it('that adds a member again says where that one is, and no other refusal does', async () => {
    const server = await fakeServer({ status: { members: threeAnd(member(4)) } });
    server.onAdmin(() => {
      throw new RaftError('RAFT_BAD_REQUEST', 'It is refused.', { outcome: 'notCommitted' });
    });
    const errorOf = async (body: object) => {
      const answer = await post(server, '/admin/members', body);
      return (answer.body as { readonly error: object }).error;
    };

    const refused = { code: 'RAFT_BAD_REQUEST', message: 'It is refused.', outcome: 'notCommitted' };
    const [add, other] = [
      { id: 'n4', url: url(9) },
      { id: 'n5', url: url(5) },
    ];
    expect(await errorOf({ add })).toEqual({ ...refused, memberUrl: url(4) });
    for (const body of [{ add: other }, { remove: 'n4' }, { change: [{ remove: 'n4' }, { add }] }])
      expect(await errorOf(body)).toEqual(refused);
  });

  it.each([
    '',
    'nonsense',
    '[]',
    '{}',
    '{"add": {"id": "n4"}}',
    '{"add": {"id": "n 4", "url": "ws://h:1"}}',
    '{"add": {"id": "n4", "url": "http://h:1"}}',
    '{"add": {"id": "n4", "url": "ws://h:65536"}}',
    '{"add": {"id": "n4", "url": "ws://1.2.3.4.5:1"}}',
    `{"add": {"id": "n4", "url": "ws://${'h'.repeat(512)}:1"}}`,
    '{"add": {"id": "n4", "url": "ws://h:1", "role": "voter"}}',
    '{"remove": "n1", "promote": "n4"}',
    '{"remove": "n1", "change": [{"promote": "n4"}]}',
    '{"remove": 1}',
    '{"change": []}',
    '{"change": [{}]}',
    '{"change": {"remove": "n1"}}',
    '{"remove": "n1", "expectedIndex": -1}',
    '{"delete": "n1"}',
  ])('is refused when it is not well formed: %s', async (body) => {
    const { send, administered } = await fakeServer();

    const response = await send('POST', '/admin/members', body);

    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: 'KV_MALFORMED', outcome: 'notCommitted' } });
    expect(administered).toEqual([]);
  });
});

describe('a transfer over HTTP', () => {
  const led = (leaderId: string) => ({ leaderId, role: 'follower', term: term(8), peers: [] }) as const;

  it('answers with who leads once this node knows', async () => {
    const server = await fakeServer();
    server.onAdmin(() => {
      server.become({ leaderId: null });
      setTimeout(() => server.become(led('n2')), 20);
      return undefined;
    });

    const answer = await post(server, '/admin/transfer', { to: 'n2' });

    expect(answer).toMatchObject({ status: 200, body: { leaderId: 'n2', term: 8 } });
    expect(server.administered).toEqual([{ to: 'n2', options: { timeoutMs: 200 } }]);
  });

  it('may leave the choice to the leader', async () => {
    const server = await fakeServer();
    server.onAdmin(() => led('n3'));

    for (const body of [undefined, {}]) {
      server.become({ leaderId: 'n1' });
      expect(await post(server, '/admin/transfer', body)).toMatchObject({
        status: 200,
        body: { leaderId: 'n3' },
      });
    }
    expect(server.administered.map((request: AdminRequest) => 'to' in request && request.to)).toEqual([
      undefined,
      undefined,
    ]);
  });

  it('to who leads already is done', async () => {
    const server = await fakeServer();

    expect((await post(server, '/admin/transfer', { to: 'n1' })).status).toBe(200);
  });

  it('that somebody else came out of has failed', async () => {
    const server = await fakeServer();
    server.onAdmin(() => led('n3'));

    const answer = await post(server, '/admin/transfer', { to: 'n2' });

    expect(answer).toMatchObject({ status: 503, body: { error: { code: 'RAFT_TRANSFER_FAILED' } } });
  });

  it.each(['{"to": 1}', '{"to": ""}', '{"from": "n1"}', 'n2'])('is refused for %s', async (body) => {
    const { send, administered } = await fakeServer();

    expect((await send('POST', '/admin/transfer', body)).status).toBe(400);
    expect(administered).toEqual([]);
  });
});

describe('a snapshot over HTTP', () => {
  it('is that of the node which was asked', async () => {
    const server = await fakeServer();
    server.onAdmin(() => ({ snapshotIndex: index(137), firstIndex: index(138) }));

    const answer = await post(server, '/admin/snapshot');

    expect(answer).toMatchObject({ status: 200, body: { id: 'n1', snapshotIndex: 137, firstIndex: 138 } });
  });

  it('waits for one that is being taken', async () => {
    const server = await fakeServer();
    let asked = 0;
    server.onAdmin(() => {
      asked += 1;
      if (asked === 1) throw busy();
      return undefined;
    });

    expect((await post(server, '/admin/snapshot')).status).toBe(200);
    expect(asked).toBe(2);
  });
});

describe('a stale read', () => {
  it('says how old it may be, if that is known', async () => {
    const { send, setAge } = await fakeServer();
    const ages = async (path: string) => (await send('GET', path)).headers.get('rxraft-age-ms');

    setAge(250);
    const [stale, missing, range, fresh] = [
      await ages('/range?consistency=stale'),
      await ages('/kv/nothing?consistency=stale'),
      await ages('/range?consistency=stale&prefix=a'),
      await ages('/range'),
    ];
    setAge(null);

    expect([stale, missing, range, fresh]).toEqual(['250', '250', '250', null]);
    expect(await ages('/range?consistency=stale')).toBe(null);
  });
});

describe('a transfer that is asked for with a list', () => {
  it.each(['[]', '["n2"]'])('is malformed: %s', async (body) => {
    const server = await fakeServer();

    const response = await server.send('POST', '/admin/transfer', body);

    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: { code: 'KV_MALFORMED', message: expect.stringContaining('expected an object, not a list') },
    });
    expect(server.administered).toEqual([]);
  });
});

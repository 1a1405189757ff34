import { describe, expect, it } from 'vitest';
import type { Peer } from '../../../src/core/index.ts';
import { judgeHello } from '../../../src/transport/admission.ts';
import type { Hello, MemberAddress } from '../../../src/transport/transport.ts';

const members: readonly MemberAddress[] = ['n1', 'n2', 'n3'].map((id) => ({ id, url: `ws://${id}:7101` }));
const peer = (id: string) => ({ id, storeId: `store-${id}` });
const voters = members.map(({ id, url }) => ({ id, storeId: `store-${id}`, url }));

function hello(id: string, changes: Partial<Hello> = {}): Hello {
  return { protocolVersion: 1, clusterId: null, ...peer(id), bootCounter: 1, members, ...changes };
}

describe('judging a hello', () => {
  const judge = (local: Partial<Hello>, remote: Hello) =>
    judgeHello({ hello: hello('n1', local), members: voters }, remote);
  const founded = { clusterId: 'c1' };

  it('lets in an empty store that declares the same members in any order', () => {
    expect(judge({}, hello('n2', { members: members.toReversed() }))).toBeNull();
  });

  it('shows both lists when they differ', () => {
    const refusal = judge({}, hello('n2', { members: members.slice(0, 2) }));

    expect(refusal).toMatchObject({ code: 'otherMembers' });
    expect(refusal?.reason).toContain('n1=ws://n1:7101,n2=ws://n2:7101,n3=ws://n3:7101');
    expect(refusal?.reason).toContain('n2 with n1=ws://n1:7101,n2=ws://n2:7101;');
  });

  it('refuses a name that the common list lacks', () => {
    expect(judge({}, hello('n9'))).toMatchObject({ code: 'otherMembers' });
  });

  it('lets a founded peer in to an empty store, whatever it declares', () => {
    expect(judge({}, hello('n2', { clusterId: 'c1', members: [] }))).toBeNull();
  });

  it('lets a listed empty store in, to be handed the founding', () => {
    expect(judge(founded, hello('n2'))).toBeNull();
  });

  it('refuses an empty store under a listed name with the commands to run', () => {
    const refusal = judge(founded, hello('n2', { storeId: 'fresh' }));

    expect(refusal).toMatchObject({ code: 'wipedStore' });
    expect(refusal?.reason).toContain('rxraft remove n2');
    expect(refusal?.reason).toContain('--join http://HOST:PORT');
  });

  it('calls it a second process where the listed store of that name is connected, and has nothing removed', () => {
    const judgeBeside = (connected: Peer) =>
      judgeHello(
        { hello: hello('n1', founded), members: voters, connected },
        hello('n2', { storeId: 'fresh' }),
      );

    const refusal = judgeBeside(peer('n2'));

    expect(refusal).toMatchObject({
      code: 'nameInUse',
      reason: expect.stringMatching(/store-n2.*fresh.*[Ss]top/),
    });
    expect(refusal?.reason).not.toContain('remove');
    expect(judgeBeside({ id: 'n2', storeId: 'another' })).toMatchObject({ code: 'wipedStore' });
  });

  it('refuses an empty store under an unknown name', () => {
    expect(judge(founded, hello('n4'))).toMatchObject({ code: 'notAMember' });
  });

  it('refuses another cluster', () => {
    expect(judge(founded, hello('n2', { clusterId: 'c2' }))).toMatchObject({ code: 'otherCluster' });
  });

  it('lets in an unlisted store that holds a configuration of this cluster', () => {
    expect(judge(founded, hello('n4', { clusterId: 'c1' }))).toBeNull();
    expect(judge(founded, hello('n2', { clusterId: 'c1', storeId: 'later' }))).toBeNull();
  });

  it('refuses another version of the protocol', () => {
    expect(judge(founded, hello('n2', { protocolVersion: 2 }))).toMatchObject({ code: 'protocolVersion' });
  });

  it('refuses a second node of its own name', () => {
    expect(judge({}, hello('n1', { storeId: 'other' }))).toMatchObject({ code: 'nameInUse' });
  });
});

import { isSamePeer, type NodeId, type Peer } from '../core/index.ts';
import { isSameList, listed } from './declared-members.ts';
import type { HandshakeRefusal, Hello } from './transport.ts';

/** What a node knows when it judges a peer's introduction. */
export interface HelloJudge {
  /** How this node introduces itself now. */
  readonly hello: Hello;
  /** Who is in the cluster by the configuration in effect; not read while `hello.clusterId` is `null`. */
  readonly members: readonly Peer[];
  /** The store that is connected with this node under the name of the peer, if there is one. */
  readonly connected?: Peer | undefined;
}

/**
 * The policy of `TransportIdentity.admit`: whether a peer is let in, or why not (rule 9). Symmetric while
 * neither store has a cluster; otherwise the founded side is the one that knows.
 */
export function judgeHello(
  { hello: local, members, connected }: HelloJudge,
  hello: Hello,
): HandshakeRefusal | null {
  if (hello.protocolVersion !== local.protocolVersion) return otherVersion(local, hello.protocolVersion);
  if (hello.id === local.id) return namesake(local, hello);
  if (local.clusterId === null) return hello.clusterId === null ? judgeDeclared(local, hello) : null;
  if (hello.clusterId === null) return judgeEmpty(local.clusterId, { members, connected, hello });
  if (hello.clusterId !== local.clusterId) return otherCluster(local, hello);
  return null; // It holds a configuration of this cluster, perhaps a later one than ours.
}

/** The refusal of a peer that speaks another version of the protocol. */
export function otherVersion(local: Hello, version: number): HandshakeRefusal {
  return {
    code: 'protocolVersion',
    reason: `${local.id} speaks version ${local.protocolVersion} of the peer protocol, the other node version ${version}; run the same release of rxraft on both`,
  };
}

function namesake(local: Hello, hello: Hello): HandshakeRefusal {
  return {
    code: 'nameInUse',
    reason: `both ends are called ${local.id} (stores ${local.storeId} and ${hello.storeId}); check the address, or stop the node that was started under a name already in use`,
  };
}

function judgeDeclared(local: Hello, hello: Hello): HandshakeRefusal | null {
  if (!isSameList(local.members, hello.members)) {
    return {
      code: 'otherMembers',
      reason: `${local.id} was started with --members ${listed(local.members)}, and ${hello.id} with ${listed(hello.members)}; start every founding member with the same list`,
    };
  }
  if (local.members.some((member) => member.id === hello.id)) return null;
  return {
    code: 'otherMembers',
    reason: `${hello.id} is not among the members that both nodes declare, ${listed(local.members)}; correct its name or the list`,
  };
}

/** A store without a cluster is let in only if the configuration lists that very store. */
function judgeEmpty(
  clusterId: string,
  { members, connected, hello }: Pick<HelloJudge, 'members' | 'connected'> & { readonly hello: Hello },
): HandshakeRefusal | null {
  const known = members.find((member) => member.id === hello.id);
  if (members.some((member) => isSamePeer(member, hello))) return null;
  if (known === undefined) {
    return {
      code: 'notAMember',
      reason: `${hello.id} is not a member of cluster ${clusterId}; start it with --join http://HOST:PORT of a member to add it`,
    };
  }
  if (connected !== undefined && members.some((member) => isSamePeer(member, connected)))
    return secondProcess(connected, hello);
  return {
    code: 'wipedStore',
    reason: `${hello.id} comes with an empty store ${hello.storeId}, but cluster ${clusterId} knows it with store ${known.storeId}: its data are gone or its path is wrong. It is not let in: it could have acknowledged what it does not hold now. The others go on without it, and nothing committed is lost, while they are a majority. ${remedy(hello.id)}`,
  };
}

/** The member is there with its data, so there is nothing to remove. If it ends, the next attempt is judged anew. */
function secondProcess({ id, storeId }: Peer, hello: Hello): HandshakeRefusal {
  return {
    code: 'nameInUse',
    reason: `${id} is connected with its store ${storeId}, and a second process calls itself ${id} and comes with an empty store ${hello.storeId}. The second one is not let in, the member goes on, and no data were changed. Stop the second process, or give it a name and a folder of its own and start it with \`--join http://HOST:PORT\` of a member`,
  };
}

function otherCluster(local: Hello, hello: Hello): HandshakeRefusal {
  return {
    code: 'otherCluster',
    reason: `${local.id} belongs to cluster ${local.clusterId}, and ${hello.id} to ${hello.clusterId}; check the addresses and the data folders. Neither store was changed`,
  };
}

/** How a name gets back into the cluster with a new store. */
function remedy(id: NodeId): string {
  return `If the path is wrong, start it with the folder it had. If its data are gone, run \`rxraft remove ${id}\` on a member, then start ${id} with \`--join http://HOST:PORT\` of a member in place of \`--members\``;
}

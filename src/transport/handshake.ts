import type { NodeId } from '../core/index.ts';
import { otherVersion } from './admission.ts';
import { type HandshakeRefusal, type Hello, protocolVersion, type TransportIdentity } from './transport.ts';

/** Judges who dialed us: the transport's own checks, then the node's. */
export function judgeDialer(identity: TransportIdentity, hello: Hello): HandshakeRefusal | null {
  if (hello.protocolVersion !== protocolVersion) return otherVersion(identity.hello(), hello.protocolVersion);
  return identity.admit(hello);
}

/** Judges who answered when we dialed a node: the transport's own checks, then the node's. */
export function judgeAcceptor(
  identity: TransportIdentity,
  { hello, dialed, url }: { hello: Hello; dialed: NodeId; url: string },
): HandshakeRefusal | null {
  if (hello.protocolVersion !== protocolVersion) return otherVersion(identity.hello(), hello.protocolVersion);
  if (hello.id !== dialed) {
    return {
      code: 'notTheNodeDialed',
      reason: `${url} is listed as the address of ${dialed}, but ${hello.id} answered; correct the address in the list of members`,
    };
  }
  return identity.admit(hello, url);
}

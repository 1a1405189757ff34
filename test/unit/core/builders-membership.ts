import { crc32 } from '../../../src/core/crc32.ts';
import {
  type Configuration,
  type EntryBatch,
  encodeConfiguration,
  type Input,
  type InstallSnapshot,
  index,
  type MemberChange,
  type Peer,
  type SnapshotMeta,
  term,
} from '../../../src/core/index.ts';
import { batchOf, threeNodes } from './builders.ts';

/** A batch that brings a configuration. */
export function configurationBatch(at: number, inTerm: number, configuration: Configuration): EntryBatch {
  const payload = encodeConfiguration(configuration);
  return { ...batchOf(at, inTerm), kind: 'configuration', payload, payloadChecksum: crc32(payload) };
}

/** The operator's wish to change the members. */
export function change(id: number, ...changes: readonly MemberChange[]): Input {
  return { type: 'changeMembers', id, changes };
}

/** A new member. */
export function adding(peer: Peer, role: 'voter' | 'learner' = 'voter'): MemberChange {
  return { type: 'add', member: { ...peer, url: '' }, role };
}

/** A snapshot of all entries through an index. */
export function snapshotOf(at: number, inTerm: number, configuration = threeNodes): SnapshotMeta {
  return {
    index: index(at),
    term: term(inTerm),
    logTimeMs: 0,
    configuration: { index: index(0), configuration },
  };
}

/** A leader's word that the chunks of a snapshot are here. */
export function installSnapshot(inTerm: number, snapshot: SnapshotMeta): InstallSnapshot {
  return { type: 'installSnapshot', term: term(inTerm), transferId: 't', snapshot };
}

import type { Observable } from 'rxjs';
import type { PersistReq } from '../core/index.ts';
import type { Persisted, Storage } from '../storage/storage.ts';
import { bufferWhile } from './buffer-while.ts';

/** A disk request, or the wish that the machine's data be flushed even though the log has nothing to write. */
export type DiskWork = PersistReq | 'flushMachine';

/**
 * Makes disk requests durable, one transaction at a time, and emits what each one covered.
 *
 * What arrives during a flush joins the next transaction, so the disk is asked once for all of it. Errors
 * when storage fails, and never retries: a disk that lost one write can't be trusted with the next. Completes
 * once everything it was given is durable.
 */
export function persistWith(storage: Storage): (work$: Observable<DiskWork>) => Observable<Persisted> {
  return bufferWhile((work: readonly DiskWork[]) =>
    storage.persist(work.filter((item): item is PersistReq => item !== 'flushMachine')),
  );
}

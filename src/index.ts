/**
 * The runtime around the core, the core itself, and storage and network in memory. All of it runs in a
 * browser: what needs Node is in `rxraft/storage` and `rxraft/transport`.
 *
 * @module
 */
export * from './core/index.ts';
export {
  type FlushScheduler,
  type MemoryDisk,
  type MemoryDiskOptions,
  memoryDisk,
  type WriteFault,
} from './storage/memory-disk.ts';
export { type MemoryStorageOptions, memoryStorage } from './storage/memory-storage.ts';
export * from './streams/index.ts';
export {
  type MemoryNetwork,
  type MemoryNetworkOptions,
  memoryNetwork,
  type NetworkCounts,
  type NetworkFaults,
} from './transport/memory-network.ts';

export * from './linearizability/index.ts';
export * from './storage-conformance.ts';
export * from './transport-conformance.ts';

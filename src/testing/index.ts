export * from './storage-conformance.ts';
export * from './transport-conformance.ts';

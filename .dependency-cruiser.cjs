/** Who may import whom: DESIGN in ARCHITECTURE.md, "Boundaries". */
const CORE_ORDER = [
  'base',
  'model',
  'cbor',
  'coap',
  'signal',
  'data',
  'mitigation',
  'session',
  'plan',
  'ports',
  'server',
  'client',
  'gateway',
];

const forbid = (name, from, to, comment) => ({
  name,
  severity: 'error',
  comment,
  from: { path: from },
  to: { path: to },
});

const coreDownwards = CORE_ORDER.slice(0, -1).map((folder, index) =>
  forbid(
    `core-${folder}-imports-downwards`,
    `^core/${folder}/`,
    `^core/(${CORE_ORDER.slice(index + 1).join('|')})/`,
    'Inside core, imports point downwards.',
  ),
);

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
    forbid(
      'core-imports-core',
      '^core/',
      '^(adapters|agent-edge|functions|infra|local|test)/',
      'core is pure.',
    ),
    {
      name: 'core-has-no-node',
      severity: 'error',
      from: { path: '^core/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'core-has-no-packages',
      severity: 'error',
      from: { path: '^core/', pathNot: '^core/cbor/' },
      to: { dependencyTypes: ['npm'] },
    },
    ...coreDownwards,
    forbid(
      'adapters-import-core',
      '^adapters/',
      '^(agent-edge|functions|infra|local|test)/',
      'adapters sit behind the ports of core.',
    ),
    forbid(
      'edge-knows-no-functions',
      '^agent-edge/',
      '^(functions|infra|local|test)/',
      'they meet at payloads in core/ports.',
    ),
    forbid(
      'functions-know-no-edge',
      '^functions/',
      '^(agent-edge|infra|local|test)/',
      'they meet at payloads in core/ports.',
    ),
    {
      name: 'infra-imports-env-and-keys',
      severity: 'error',
      from: { path: '^infra/' },
      to: {
        path: '^(core|adapters|agent-edge|functions|local|test)/',
        pathNot: '(/env\\.ts$|^adapters/dynamodb/(keys|table)\\.ts$)',
      },
    },
    forbid('local-imports-no-infra', '^local/', '^(infra|test)/', 'local runs without AWS.'),
    {
      name: 'sockets-live-in-adapters',
      severity: 'error',
      from: { path: '^(agent-edge|functions|infra|local)/' },
      to: { path: '^(node:)?(dgram|net|tls)$' },
    },
    {
      name: 'no-dev-packages-in-product',
      severity: 'error',
      from: { path: '^(core|adapters|agent-edge|functions|local)/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.cjs', '.mjs', '.json', '.d.ts'],
    },
  },
};

/** Each folder of test/ is a project; test/run.ts chooses which to run and installs the peers they need. */
const project = (name, settings = {}) => ({
  displayName: name,
  rootDir: '.',
  testMatch: [`<rootDir>/test/${name}/**/*.test.ts`],
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { target: 'es2024', parser: { syntax: 'typescript' } },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  ...settings,
});

export default {
  projects: [
    'unit',
    'vectors',
    'property',
    'conformance',
    'simulation',
    'infra',
    'interop',
    'e2e',
    'fuzz',
  ].map((name) => project(name)),
};

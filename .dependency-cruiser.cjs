// The directions of this house: arrows point inward, towards src/core and src/values. Each rule was seen to fail once,
// on an import that breaks it; when you change one, try that again.
const publicEntries = '^src/(index|adapter/index)\\.ts$';

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Type imports count: two files that need each other are one story told in two places.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'imports-resolve',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'core-stands-alone',
      comment:
        'How the cache works: knows no database, no SQL, no Redis. Only Node, lru-cache and the bytes of values.',
      severity: 'error',
      from: { path: '^src/core/' },
      to: { pathNot: ['^src/(core|values)/', '(^|/)node_modules/lru-cache/'], dependencyTypesNot: ['core'] },
    },
    {
      name: 'values-know-no-cache',
      comment: 'Identity and bytes of values. Only Node and msgpackr.',
      severity: 'error',
      from: { path: '^src/values/' },
      to: { pathNot: ['^src/values/', '(^|/)node_modules/msgpackr/'], dependencyTypesNot: ['core'] },
    },
    {
      name: 'sql-reads-text',
      comment: 'Reading statements needs nothing but the statement.',
      severity: 'error',
      from: { path: '^src/sql/' },
      to: { pathNot: ['^src/sql/'], dependencyTypesNot: ['core'] },
    },
    {
      name: 'face-calls-core',
      comment:
        'What users call stands on the core and its structures; who loads the face must not load a companion or an adapter.',
      severity: 'error',
      from: { path: '^src/[^/]+\\.ts$' },
      to: { pathNot: ['^src/[^/]+\\.ts$', '^src/(core|values|structures)/'], dependencyTypesNot: ['core'] },
    },
    {
      name: 'structures-over-the-core',
      comment: 'Trees, batches and warmers are made of what the core does; they know no database.',
      severity: 'error',
      from: { path: '^src/structures/' },
      to: { pathNot: ['^src/(structures|core|values)/'], dependencyTypesNot: ['core'] },
    },
    {
      name: 'kit-below-the-face',
      comment: 'The kit for adapters turns statements into dependencies: over core, values and sql.',
      severity: 'error',
      from: { path: '^src/adapter/' },
      to: { pathNot: ['^src/(adapter|core|values|sql)/', '^src/index\\.ts$'], dependencyTypesNot: ['core'] },
    },
    {
      name: 'companions-use-the-public-face',
      comment: 'Any other folder in src is a subpath of its own and needs what a user has.',
      severity: 'error',
      from: { path: '^src/(?!core/|values/|sql/|adapter/|testing/|structures/)([^/]+)/' },
      to: { path: '^(src|adapters)/', pathNot: ['^src/$1/', publicEntries] },
    },
    {
      name: 'testing-may-look-inside',
      comment:
        'On purpose: the fake clock, the faulty store and the contract suite are made of the parts they stand in for.',
      severity: 'error',
      from: { path: '^src/testing/' },
      to: { pathNot: ['^src/(testing|core)/', publicEntries], dependencyTypesNot: ['core'] },
    },
    {
      name: 'src-needs-two-packages',
      comment: 'Node, lru-cache and msgpackr. Whatever speaks a foreign library is an adapter.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '(^|/)node_modules/', pathNot: '(^|/)node_modules/(lru-cache|msgpackr)/' },
    },
    {
      name: 'src-knows-no-adapter',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^adapters/' },
    },
    {
      name: 'adapters-use-public-entries',
      comment: 'An adapter that needs a private door shows that the kit is incomplete: widen the kit.',
      severity: 'error',
      from: { path: '^adapters/' },
      to: { path: '^src/', pathNot: publicEntries },
    },
    {
      name: 'adapters-do-not-meet',
      severity: 'error',
      from: { path: '^adapters/([^/]+)/' },
      to: { path: '^adapters/', pathNot: '^adapters/$1/' },
    },
    {
      name: 'ships-what-it-imports',
      comment: 'A package that is only in devDependencies is not there at the user.',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['npm-peer', 'type-only'] },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'default'] },
  },
};

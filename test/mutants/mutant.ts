/** A mistake that somebody could make, and the test that must find it. */
export interface Mutant {
  /** What it breaks, in words. */
  readonly rule: string;
  /** The file it is in. */
  readonly file: string;
  /** What stands there, once. */
  readonly from: string;
  readonly to: string;
  /** The file of tests that is run. */
  readonly test: string;
  /** Parts of names of tests: one with each of them must fail. */
  readonly cases: readonly string[];
}

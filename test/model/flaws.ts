/**
 * What other protocols do instead of one of our rules. A model that is told to have a flaw must be found broken: if it
 * is not, the model is blind, or the rule is not needed.
 */
export type Flaw =
  | 'deletes entries instead of raising versions'
  | 'takes versions after the load'
  | 'lets the last version of a tag win'
  | 'asks for the version of a learned tag after the load'
  | 'takes the version of an observed query after it has run'
  | 'lets joiners have whatever lands'
  | 'joins a question that is on its way'
  | 'has no flights'
  | 'lets the dependencies of inner loads stay inside'
  | 'counts the versions of each tag from 1'
  | 'acknowledges the first of several tags'
  | 'confirms delete tags with the rest'
  | 'clears by a new epoch'
  | 'takes snapshots without standing tags'
  | 'sets without ending what is being loaded'
  | 'serves inside a transaction'
  | 'stores inside a transaction'
  | 'raises before COMMIT'
  | 'raises once when the outcome is unknown'
  | 'acknowledges without the store'
  | 'forgets what it could not deliver'
  | 'serves what an undelivered tag should have ended'
  | 'trusts a tag once it is delivered, whenever it was asked for'
  | 'takes a delivery for every refusal of its tag'
  | 'has no epoch'
  | 'trusts a connection before it has looked'
  | 'stores under the epoch of the moment'
  // Of strict mode.
  | 'has no fence'
  | 'fences with a flag'
  | 'lets a fence end by its time alone'
  | 'lifts a fence whose COMMIT may be under way'
  | 'lets fenced tags be evicted'
  | 'has no quarantine';

// Each request of a user is overtaken by every other one, before each of its calls: npm run
// test:races
import { pairwiseRaces } from "./races/pairwise.ts";

pairwiseRaces("every call");

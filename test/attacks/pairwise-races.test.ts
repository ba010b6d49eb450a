// Two requests of one user run at the same moment, and each checks what the other changes. The
// result must be one that sending them in some order also gives. The long form: npm run test:races
import { pairwiseRaces } from "./races/pairwise.ts";

pairwiseRaces("writes");

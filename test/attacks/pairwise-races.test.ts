// Two requests of one user at the same moment, each of which checks what the other changes. Which two
// leave something behind that neither order of them could? Before every call: npm run test:races
import { pairwiseRaces } from "./races/pairwise.ts";

pairwiseRaces("writes");

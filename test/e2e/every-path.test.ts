// Each place of each flow, by a shortest path over HTTP. All paths: npm run test:paths
import { everyPath } from "./paths/every-path.ts";

everyPath("shortest");

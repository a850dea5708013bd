export { Trainer } from "./run/trainer.js";

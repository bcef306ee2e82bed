/** `cdk synth`, `cdk deploy`: the provider's account, one stage at a time (`-c stage=dev|prod`). */
import { App } from 'aws-cdk-lib';
import { tocsinApp } from '../tocsin-app.ts';

const app = new App();
tocsinApp(app, app.node.tryGetContext('stage'));
app.synth();

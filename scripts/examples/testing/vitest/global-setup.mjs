export { globalSetup as default } from 'nestjs-polymongo/testing';

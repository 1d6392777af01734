export { globalTeardown as default } from 'nestjs-polymongo/testing';

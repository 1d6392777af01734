import { BadRequestException, Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { Error as MongooseError } from 'mongoose';

/** Answers what the schema refuses with 400 and its reason, not with 500. */
@Catch(MongooseError.ValidationError, MongooseError.CastError)
export class ValidationFilter implements ExceptionFilter {
  constructor(private readonly adapterHost: HttpAdapterHost) {}

  catch(error: MongooseError, host: ArgumentsHost): void {
    const answer = new BadRequestException(error.message);
    this.adapterHost.httpAdapter.reply(host.switchToHttp().getResponse(), answer.getResponse(), answer.getStatus());
  }
}
